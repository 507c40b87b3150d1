"""The settings of mail runs."""

from dataclasses import dataclass, field
from datetime import timedelta

from app.clients.mail import MailClient
from app.services.mail.arrivals import Arrivals
from app.services.mail.presence import Presence


@dataclass(frozen=True)
class MailSettings:
    """Sender, recipients and client of the mails.

    - ``first_period``: length of the first mail's period, the same as that of the first daily run.
    - ``working_time``: answer times are counted in working hours.
    - ``avito_clients``: the API client IDs of the settings. Accounts with another one are not read.
    """

    client: MailClient
    sender: str
    recipients: tuple[str, ...]
    first_period: timedelta
    working_time: bool = False
    avito_clients: tuple[str, ...] = ()
    arrivals: Arrivals = field(default_factory=Arrivals)
    presence: Presence = field(default_factory=Presence)
