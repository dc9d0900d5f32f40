"""The reference of the runtime's public names, made of its docstrings.

`uv run python -m tests.runtime.reference` writes docs/runtime-api.md.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from command_center import runtime
from tests.checkout import ROOT, source_files

PAGE = ROOT / "docs" / "runtime-api.md"

HEAD = """# The runtime's API

Every public name of `command_center.runtime`, and of the kit for tests,
`command_center.runtime.testing`, by its docstrings. [The runtime](runtime.md) explains how they
belong together. Made by `python -m tests.runtime.reference`.
"""

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Defined = ast.ClassDef | _Function | ast.Assign | ast.AnnAssign


def reference() -> str:
    """Return the page."""
    names = {_name(node): (node, told) for node, told in _nodes()}
    missing = set(runtime.__all__) - set(names)
    if missing:
        raise LookupError(sorted(missing))
    parts = [HEAD]
    parts += [_section(*names[name]) for name in sorted(runtime.__all__, key=str.lower)]
    kit = ast.parse((ROOT / "runtime" / "testing.py").read_text(encoding="utf-8"))
    parts.append(f"## The kit for tests\n\n{_text(ast.get_docstring(kit) or '')}\n")
    parts += [
        _section(node)
        for node in kit.body
        if isinstance(node, ast.ClassDef | _Function) and not node.name.startswith("_")
    ]
    return "\n".join(parts)


def _nodes() -> Iterator[tuple[_Defined, str]]:
    """Yield all that is defined, and the text behind it, which explains what is assigned."""
    for path in source_files("runtime"):
        body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
        for node, after in zip(body, [*body[1:], None], strict=True):
            if isinstance(node, _Defined) and not _is_overload(node):
                yield node, _told(after)


def _name(node: _Defined) -> str:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
    return ""


def _told(node: ast.stmt | None) -> str:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return text
    return ""


def _is_overload(node: ast.AST) -> bool:
    return isinstance(node, _Function) and _decorators(node) >= {"overload"}


def _decorators(node: _Function) -> set[str]:
    return {ast.unparse(one).partition("(")[0] for one in node.decorator_list}


def _section(node: _Defined, told: str = "") -> str:
    match node:
        case ast.ClassDef():
            bases = ", ".join(ast.unparse(base) for base in node.bases)
            head = f"class {node.name}({bases})" if bases else f"class {node.name}"
            members = "".join(_members(node))
            return f"### `{head}`\n\n{_text(ast.get_docstring(node) or '')}\n{members}"
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            return f"### `{_signature(node)}`\n\n{_text(ast.get_docstring(node) or '')}\n"
    return f"### `{ast.unparse(node)}`\n\n{_text(told)}\n"


def _members(node: ast.ClassDef) -> Iterator[str]:
    """Return the lines of a class's public members, each with what is said of it."""
    lines: list[str] = []
    for member, after in zip(node.body, [*node.body[1:], None], strict=True):
        told = _told(after)
        match member:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                is_made_of = member.name == "__init__" and not ast.get_docstring(member)
                if is_made_of or _is_overload(member) or member.name.startswith("_"):
                    continue
                lines.append(_member(_signature(member), ast.get_docstring(member) or ""))
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                lines.append(_member(ast.unparse(member), told))
            case ast.Assign(targets=[ast.Name(id=name)]) if not name.startswith("_"):
                lines.append(_member(ast.unparse(member), told))
    yield from (["\n", *lines] if lines else [])


def _member(signature: str, told: str) -> str:
    text = _text(told)
    if not text:
        return f"- `{signature}`\n"
    return f"- `{signature}`\n\n" + re.sub(r"(?m)^(?=.)", "  ", text) + "\n\n"


def _signature(node: _Function) -> str:
    arguments = ast.unparse(node.args)
    arguments = re.sub(r"^(self|cls)(, )?", "", arguments)
    returns = "" if node.returns is None else f" -> {ast.unparse(node.returns)}"
    if "property" in _decorators(node):
        return f"{node.name}{returns.replace(' ->', ':', 1)}"
    start = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    manager = "async with " if "asynccontextmanager" in _decorators(node) else ""
    return f"{manager or start}{node.name}({arguments}){returns}"


def _text(docstring: str) -> str:
    """Return a docstring as Markdown: its sections and what stands in a block as they are."""
    lines: list[str] = []
    for line in docstring.splitlines():
        head = re.fullmatch(r"(Args|Attributes|Raises):", line)
        item = re.fullmatch(r" {4}(\w+): (.+)", line)
        if head:
            lines.append(f"{head[1]}:\n")
        elif item:
            lines.append(f"- `{item[1]}`: {item[2]}")
        elif line.startswith(" " * 8) and lines and lines[-1].startswith("- "):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line.removesuffix(":") if line.endswith("::") else line.rstrip())
    return "\n".join(lines).strip()


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
