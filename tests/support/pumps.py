"""Words whose repetition once made a pattern quadratic."""

# Known attacks: each made a message of 330 words take a second.
KNOWN_PUMPS = (
    "тел",
    "звон",
    "номер",
    "набер",
    "загран",
    "паспорт",
    "городской",
    "телеграм",
    "свидетельств",
)
