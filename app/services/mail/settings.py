"""The settings of mail runs."""

from dataclasses import dataclass, field
from datetime import timedelta

from app.clients.mail import MailClient
from app.domain.settling import SettlingRule
from app.services.mail.arrivals import Arrivals
from app.services.mail.presence import Presence


@dataclass(frozen=True)
class MailSettings:
    """Sender, recipients and client of the mails.

    - ``first_period``: length of the first mail's period, the same as that of the first daily run.
    - ``working_time``: answer times are counted in working hours.
    - ``settling``: when a conversation is still going on.
    - ``avito_clients``: the API client IDs of the settings. Accounts with another one are not read.
    """

    client: MailClient
    sender: str
    recipients: tuple[str, ...]
    first_period: timedelta
    working_time: bool = False
    settling: SettlingRule = field(default_factory=SettlingRule)
    avito_clients: tuple[str, ...] = ()
    arrivals: Arrivals = field(default_factory=Arrivals)
    presence: Presence = field(default_factory=Presence)
