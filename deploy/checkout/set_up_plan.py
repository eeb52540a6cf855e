# SPDX-License-Identifier: Apache-2.0
"""The plan of a set-up: what is due, by what was made and what is wanted, and what that takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deploy.checkout import tree_products
from deploy.checkout.set_up_record import RECORD, digest, due_steps, read_record

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.checkout.facts import Facts
    from deploy.checkout.project import Project

TOOLS, PACKAGES, NATIVE = "build tools", "run-time packages", "native modules"
PRODUCTS, TESTS = "messages, pages, bytecode", "packages of the tests"
_COSTS_MB = {TOOLS: 15, PACKAGES: 25, TESTS: 115}
"""What is fetched for a step."""


@dataclass
class Plan:
    """What is due, and of what it is made."""

    facts: Facts
    project: Project
    layer: str
    final: Path
    wheels: Path | None
    environment: dict[str, str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)
    due: set[str] = field(default_factory=set)

    def judge(self) -> None:
        """Compare what was made with what is wanted."""
        facts, project = self.facts, self.project
        self.environment = {
            "python": f"{facts.python} {facts.extension} {facts.executable}",
            "folder": str(self.final),
            "run": project.packages,
            "test": digest(["test", project.pinned, *project.test]),
        }
        self.products = tree_products.wanted_products(facts, project.packages)
        self.made = read_record(self.final / RECORD)
        if not (self.final / "bin" / "python").exists():
            self.made = {}
        layer = "test" if "test" in self.made else self.layer  # what is there stays
        self.due = due_steps(self.made, self.environment, layer)
        products = tree_products.made_products(facts)
        self.due |= due_steps(products, self.products, self.layer)
        if self.due == {"bytecode"} and products.get("bytecode"):
            self.due.clear()  # a module that was edited: Python itself compiles it
        if not facts.compiles and tree_products.has_libraries(facts):
            self.due.discard("native")  # what another compiler made of these sources

    @property
    def has_tools(self) -> bool:
        """Whether the environment itself has Cython and Babel."""
        return "test" in self.made and not self.due & {"run", "test"}

    @property
    def compiles(self) -> bool:
        """Whether something is to be compiled by Cython."""
        return (
            "native" in self.due
            and self.facts.compiles
            and bool(tree_products.absent_libraries(self.facts))
        )

    @property
    def needs_tools(self) -> bool:
        """Whether build tools are fetched."""
        return not self.has_tools and (self.compiles or "messages" in self.due)

    @property
    def fetches(self) -> bool:
        """Whether anything is fetched."""
        return bool(self.due & {"run", "test"}) or self.needs_tools

    @property
    def must_fetch(self) -> bool:
        """Whether it fails where nothing can be fetched: native modules may wait."""
        return bool(self.due & {"run", "test"}) or (self.needs_tools and "messages" in self.due)

    @property
    def steps(self) -> list[str]:
        """The steps, as they are shown."""
        shown = {
            TOOLS: self.needs_tools,
            PACKAGES: "run" in self.due,
            NATIVE: "native" in self.due and self.facts.compiles,
            PRODUCTS: bool(self.due & {"messages", "pages", "bytecode"}),
            TESTS: "test" in self.due,
        }
        return [step for step, is_due in shown.items() if is_due]

    @property
    def cost_mb(self) -> int:
        """What is fetched over the network, about."""
        return sum(_COSTS_MB.get(step, 0) for step in self.steps) if self.wheels is None else 0

    @property
    def about(self) -> str:
        """The Python and the processor, for sentences."""
        return f"Python {self.facts.python} on {self.facts.machine}"
