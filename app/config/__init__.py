"""Settings of the service, in groups by subject.

`from app.config import Settings` has all of them as fields of one object.
"""

from app.config.avito import WEBHOOK_PATH
from app.config.loading import list_settings_faults, load_settings
from app.config.setting_types import AvitoAccount
from app.config.settings import Need, Settings

__all__ = [
    "WEBHOOK_PATH",
    "AvitoAccount",
    "Need",
    "Settings",
    "list_settings_faults",
    "load_settings",
]
