"""Doctor's checks of the way to Avito and DeepSeek: the proxy of the environment."""

from app.cli.doctor_findings import DoctorFindings
from app.clients.proxies import find_proxy, list_unreadable_exemptions
from app.config import Settings
from app.errors import SettingsError


def check_proxies(findings: DoctorFindings, settings: Settings) -> bool:
    """Report the proxy of each system; return whether both can be used."""
    if unreadable := list_unreadable_exemptions():
        findings.unsure(
            f"NO_PROXY: не разобрать {', '.join(unreadable)}; эти записи не действуют, остальные"
            " действуют."
        )
    urls = {"Авито": settings.avito_base_url, "DeepSeek": settings.deepseek_base_url}
    try:
        proxies = {name: find_proxy(str(url)) for name, url in urls.items()}
    except SettingsError as error:
        findings.bad(error.message)
        return False
    for name, proxy in proxies.items():
        if proxy is not None:
            findings.good(f"Прокси: {name} — через {proxy.address} ({proxy.variable}).")
    return True
