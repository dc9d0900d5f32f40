"""`export` and `import`: files that are their owner's alone, and lines that say what came of it."""

from __future__ import annotations

import os
from pathlib import Path

from click.testing import CliRunner, Result

from command_center.http.cli.main import main
from command_center.store import Writer
from command_center.store.backups.contents import DATABASE
from tests.store.units import add_session, run


def typed(folder: Path, *words: str) -> Result:
    environment: dict[str, str | None] = {n: None for n in os.environ if n.startswith("CC_")}
    environment |= {"CC_DATA_DIR": str(folder), "XDG_CONFIG_HOME": str(folder / "none")}
    return CliRunner().invoke(main, words, env=environment, prog_name="command-center")


def test_a_history_goes_from_one_folder_to_another(tmp_path: Path) -> None:
    there, here, file = tmp_path / "there", tmp_path / "here", tmp_path / "history.jsonl"
    assert (2, True) == ((told := typed(there, "export")).exit_code, "no database" in told.stderr)
    writer = Writer(there / DATABASE, busy_timeout=0)
    run(writer, add_session)
    assert 0 == typed(there, "export", str(file)).exit_code  # beside who writes
    told = typed(there, "import", str(file))
    assert (1, 1) == (told.exit_code, told.stderr.count("\n"))
    writer.close()
    assert os.name != "posix" or 0o600 == file.stat().st_mode & 0o777
    assert 2 == typed(there, "export", str(file)).exit_code
    printed = typed(there, "export").stdout_bytes.splitlines()
    assert printed[1:-1] == file.read_bytes().splitlines()[1:-1]
    told = typed(here, "import", str(file), "--map", "/srv/a=/srv/own", "--dry-run")
    assert "It would bring repositories: 1, tasks: 1, sessions: 1.\n" == told.stdout
    told = typed(here, "import", str(file), "--map", "/srv/a=/srv/own")
    assert "It brought repositories: 1, tasks: 1, sessions: 1.\n" == told.stdout
    assert (
        "/srv/own was here already.\n"
        in typed(here, "import", str(file), "--map", "/srv/a=/srv/own").stdout
    )
    file.write_bytes(b"nothing\n")
    told = typed(here, "import", str(file))
    assert (1, 1) == (told.exit_code, told.stderr.count("\n"))
    assert 2 == typed(here, "import", str(file), "--map", "x").exit_code
