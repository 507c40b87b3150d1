"""The metrics of a service, parsed."""

import httpx
from prometheus_client.parser import text_string_to_metric_families

PREFIX = "avito_quality_"


class Metrics:
    """The metrics of one scrape, by name without ``PREFIX``."""

    def __init__(self, text: str) -> None:
        self.text = text
        families = list(text_string_to_metric_families(text))
        self.samples = {
            (sample.name.removeprefix(PREFIX), frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }
        self.names = {
            (family.name + ("_total" if family.type == "counter" else "")).removeprefix(PREFIX)
            for family in families
            if family.name.startswith(PREFIX)
        }
        self.histograms = {
            family.name.removeprefix(PREFIX) for family in families if family.type == "histogram"
        }

    def get(self, name: str, **labels: str) -> float:
        """Return the value of a metric; 0 if it has no such labels yet."""
        return self.samples.get((name, frozenset(labels.items())), 0.0)


async def read_metrics(rest: httpx.AsyncClient) -> Metrics:
    """Scrape a service, without a key."""
    answer = await rest.get("/metrics", headers={"X-API-Key": ""})
    assert answer.status_code == 200
    return Metrics(answer.text)
