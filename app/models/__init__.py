"""The tables, one in each file. Importing this package registers all of them."""

from app.models.account import Account
from app.models.base import Base
from app.models.chat import Chat
from app.models.covered_date import CoveredDate
from app.models.delivery import Delivery, DeliveryState
from app.models.digest import Digest, DigestKind
from app.models.listing import AccountListing
from app.models.message import Message
from app.models.packed_exchange import ExchangePurpose, PackedExchange
from app.models.prompt import Prompt
from app.models.reply import ReplyTemplate, ReplyUse
from app.models.report import Report, ReportKind
from app.models.report_figures import Mark, ReportFigures
from app.models.request_pace import RequestPace
from app.models.review import Review
from app.models.run import Run, RunKind, RunState
from app.models.run_part import RunPart

__all__ = [
    "Account",
    "AccountListing",
    "Base",
    "Chat",
    "CoveredDate",
    "Delivery",
    "DeliveryState",
    "Digest",
    "DigestKind",
    "ExchangePurpose",
    "Mark",
    "Message",
    "PackedExchange",
    "Prompt",
    "ReplyTemplate",
    "ReplyUse",
    "Report",
    "ReportFigures",
    "ReportKind",
    "RequestPace",
    "Review",
    "Run",
    "RunKind",
    "RunPart",
    "RunState",
]
