"""The examples of docs/sdk.md run as they stand."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from exchange_server import serving
from program import environment, run

PAGE = Path(__file__).resolve().parents[3] / "docs/sdk.md"
EXAMPLE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
SAID = (
    r"continuous 2026-12-04\n(H100\.GUIAN\.\d{4} \S+ \S+\n)+",
    r"100,000,000\.00 CNY are free\n",
    r"The order \d+ was taken: 0 of 2 lots have traded, the rest stands in the book\.\ncancelled 0 of 2\n",
    r"best bid None best ask None\n",
    r"2026-12-04 deposit 10000000000\n",
)


async def test_every_example_runs(tmp_path: Path) -> None:
    examples = EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))
    assert len(examples) == len(SAID)
    async with serving(tmp_path) as served:
        buyer = await served.admit("blue", "enterprise")
        await served.at(10)
        key = {
            "DONGXI_MEMBER": buyer.member,
            "DONGXI_KEY_ID": buyer.key_id,
            "DONGXI_SECRET": buyer.secret,
            "DONGXI_BASE_URL": buyer.base_url,
        }
        assert run("history", "rebuild", "--data", str(tmp_path / "data")).returncode == 0
        for example, said in zip(examples, SAID, strict=True):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                example,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(**key),
            )
            out, err = await process.communicate()
            assert process.returncode == 0, err.decode()
            assert re.fullmatch(said, out.decode()), out.decode()
