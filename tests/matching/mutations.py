"""Plants bugs in copies of the kernel's sources and sees whether short scripts of the reference notice.

A mutant is one change of one expression or statement of a kernel function: a comparison or a sign turned
round, `and` for `or`, a number off by one, a condition that always or never holds, a write or a call left
out. Each runs as plain Python (the compiler off) on a copy of the package; it is killed if an event or the
state differs from the script, if `check()` fails, if it raises, or if it doesn't end.

``python -m tests.matching.mutations [--sample N] [--seed S] [--file NAME]`` prints who survived.
"""

from __future__ import annotations

import argparse
import ast
import copy
import multiprocessing
import os
import pickle
import random
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KERNEL = ROOT / "matching"
MUTATED = (
    "amending",
    "auction",
    "bits",
    "commands",
    "control",
    "emit",
    "entry",
    "exposure",
    "incoming",
    "ladder",
    "orders",
    "stops",
)
"""Modules that decide what happens. (The others lay out memory, view, verify, compile or fetch ahead.)"""
COMMANDS_A_SCRIPT = (150, 500, 1500)
SECONDS_A_MUTANT = 60
MAGIC = 1 << 20
"""Larger numbers are those of the hash function, where any will do; so it is with -1, which means "none"."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True)
class Mutant:
    """One planted bug."""

    module: str
    function: str
    line: int
    what: str
    source: str
    """The whole module with the bug in it."""

    def __str__(self) -> str:
        return f"{self.module}.py:{self.line} {self.function}: {self.what}"


def shown(node: ast.AST) -> str:
    """Return a node's source on one line."""
    return " ".join(ast.unparse(node).split())[:90]


def replacements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what can be planted instead of a node."""
    match node:
        case ast.Compare(ops=[operator], left=left, comparators=others) if type(operator) in COMPARISONS:
            yield ast.Compare(left, [COMPARISONS[type(operator)]()], others)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
            yield ast.BinOp(left, OPERATORS[type(operator)](), right)
        case ast.BoolOp(op=ast.And(), values=values):
            yield ast.BoolOp(ast.Or(), values)
        case ast.BoolOp(op=ast.Or(), values=values):
            yield ast.BoolOp(ast.And(), values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Constant(value=int() as number) if not isinstance(number, bool) and number < MAGIC:
            yield ast.Constant(number + 1)
        case ast.Constant(value=bool() as truth):
            yield ast.Constant(not truth)
        case ast.If(body=body, orelse=orelse):
            yield ast.If(ast.Constant(True), body, orelse)
            yield ast.If(ast.Constant(False), body, orelse)
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Subscript()]):
            yield ast.Pass()


class Planter(ast.NodeTransformer):
    """Replaces one node of a tree, found by its position in the walk."""

    def __init__(self, target: ast.AST, replacement: ast.AST) -> None:
        self.target, self.replacement = target, replacement

    def visit(self, node: ast.AST) -> ast.AST:
        return self.replacement if node is self.target else self.generic_visit(node)


def nodes_of(statement: ast.stmt) -> Iterator[ast.AST]:
    """Walk a statement, but not into the number of a -1."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        if not (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)):
            waiting.extend(ast.iter_child_nodes(node))


def mutants_of(module: str) -> Iterator[Mutant]:
    """Yield every mutant of one kernel module."""
    text = (KERNEL / f"{module}.py").read_text()
    tree = ast.parse(text)
    for function in [node for node in tree.body if isinstance(node, ast.FunctionDef)]:
        for statement in function.body:
            for node in nodes_of(statement):
                for replacement in replacements(node):
                    planted = plant(tree, node, replacement)
                    line, what = getattr(node, "lineno", 0), f"{shown(node)}  →  {shown(replacement)}"
                    yield Mutant(module, function.name, line, what, planted)


def plant(tree: ast.Module, node: ast.AST, replacement: ast.AST) -> str:
    """Return the source of a tree with one node replaced; the tree stays as it was."""
    memo: dict[int, object] = {}
    twin = copy.deepcopy(tree, memo)
    planted = Planter(memo[id(node)], copy.deepcopy(replacement)).visit(twin)  # type: ignore[arg-type]
    return ast.unparse(ast.fix_missing_locations(planted))


def every_mutant(modules: tuple[str, ...] = MUTATED) -> list[Mutant]:
    """Return every mutant of the kernel."""
    return [mutant for module in modules for mutant in mutants_of(module)]


def write_scripts(target: Path) -> None:
    """Record scripts of all flows with the reference engine: short ones first, as most bugs show."""
    from matching.reference import ReferenceEngine
    from tests.matching.generators import FLOWS, record

    flows = [(make(count), count) for count in COMMANDS_A_SCRIPT for make in FLOWS.values()]
    scripts = [record(flow, ReferenceEngine(flow.shape.limits), commands) for flow, commands in flows]
    target.write_bytes(pickle.dumps(scripts))


def replay(scripts: Path) -> bool:
    """Replay scripts on the kernel that is imported here; return whether everything is as it should be."""
    from matching.engine import Engine
    from tests.matching.generators import perform

    for script in pickle.loads(scripts.read_bytes()):
        engine = Engine(script.limits)
        for step, events in zip(script.steps, script.events, strict=True):
            if perform(engine, step).tobytes() != events.tobytes():
                return False
        engine.check()
        if engine.state_hash() != script.state_hash:
            return False
    return True


def run_copy(folder: str, scripts: Path) -> None:
    """Replay on the copy of the package in a folder and end this process: 0 if nobody noticed a bug."""
    sys.path[:0] = [folder, str(ROOT)]
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    warnings.simplefilter("ignore")
    sys.exit(0 if replay(scripts) else 1)


class Campaign:
    """A frozen copy of the kernel, scripts, and processes that start quickly."""

    def __init__(self, folder: Path) -> None:
        self.kernel, self.scripts = folder / "kernel", folder / "scripts.pickle"
        shutil.copytree(KERNEL, self.kernel, ignore=shutil.ignore_patterns("__pycache__"))
        self.processes = multiprocessing.get_context("forkserver")
        self.processes.set_forkserver_preload(["numba", "blake3", "sortedcontainers"])
        recorder = self.processes.Process(target=write_scripts, args=(self.scripts,))
        recorder.start()
        recorder.join()
        if self.is_killed(None):
            raise RuntimeError("the kernel differs from the reference engine as it is")

    def is_killed(self, mutant: Mutant | None) -> bool:
        """Run one mutant (None: the kernel as it is) in a process of its own, on a copy of the package."""
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(self.kernel, Path(folder, "matching"))
            if mutant:
                Path(folder, "matching", f"{mutant.module}.py").write_text(mutant.source)
            process = self.processes.Process(target=run_copy, args=(folder, self.scripts))
            process.start()
            process.join(SECONDS_A_MUTANT)
            if process.is_alive():
                process.kill()
                process.join()
            return process.exitcode != 0

    def survivors_of(self, mutants: list[Mutant]) -> Iterator[Mutant]:
        """Yield the mutants that nothing noticed."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for mutant, killed in zip(mutants, pool.map(self.is_killed, mutants), strict=True):
                if not killed:
                    yield mutant


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sample", type=int, default=300, help="how many mutants (0: all)")
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--file", choices=MUTATED, action="append", help="only this module")
    parser.add_argument("--least", type=float, default=0.9, help="share that must be killed")
    return parser.parse_args()


def main() -> int:
    """Run a sample of the mutants, print survivors and the share killed, return 1 if it is too small."""
    os.environ |= {"NUMBA_DISABLE_JIT": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    chosen = options()
    mutants = every_mutant(tuple(chosen.file or MUTATED))
    total = len(mutants)
    if chosen.sample:
        mutants = random.Random(chosen.seed).sample(mutants, min(chosen.sample, total))
    print(f"{len(mutants)} of {total} mutants", flush=True)
    alive: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for mutant in Campaign(Path(folder)).survivors_of(mutants):
            print(f"survived: {mutant}", flush=True)
            alive[mutant.module] += 1
    tried = Counter(mutant.module for mutant in mutants)
    for module in sorted(tried):
        print(f"{module:10} {tried[module] - alive[module]:4} of {tried[module]:4} killed")
    share = 1 - alive.total() / len(mutants)
    print(f"killed {share:.1%} of {len(mutants)}")
    return int(share < chosen.least)


if __name__ == "__main__":
    sys.exit(main())
