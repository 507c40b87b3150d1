"""What the code promises to the files around it: migrations, the OpenAPI document, locks, settings,
the image.
"""

from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
