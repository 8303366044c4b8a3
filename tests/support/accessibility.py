"""What axe finds on a page."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

AXE = Axe()


async def violations(page: Page) -> list[str]:
    """Return each element that breaks a rule, and how."""
    found = (await AXE.run(page)).response["violations"]
    return [
        f"{rule['id']}: {' '.join(node['target'])}: {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]
