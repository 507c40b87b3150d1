"""``audit`` prints one JSON object. Its exit code tells whether everything can be rebuilt."""

import json
from pathlib import Path

from tests.support.command_line import make_environment, run_app
from tests.support.stage import GOOD_TALK, Stage


async def test_output_and_exit_codes(tmp_path: Path, stage: Stage) -> None:
    url = stage.service.settings.database_url
    assert url
    settings = make_environment(stage.sandbox, DATABASE_URL=url.get_secret_value())
    stage.add_talk(*GOOD_TALK)
    await stage.sync()
    await stage.analyze()
    good = await run_app(tmp_path, "audit", "1", **settings)
    assert (good.code, good.err) == (0, "")
    found = json.loads(good.out)
    assert found["differences"] == []
    assert found["requests"][0]["sha256"] == found["requests"][0]["sent_sha256"]
    await stage.change("UPDATE messages SET text = 'Другие слова' WHERE id = 1")
    changed = await run_app(tmp_path, "audit", "1", **settings)
    assert changed.code == 1
    assert json.loads(changed.out)["differences"]
    missing = await run_app(tmp_path, "audit", "99", **settings)
    assert missing.code == 1
    assert "Отчёта 99 нет" in missing.err
