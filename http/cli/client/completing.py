"""Completion in shells: commands and options as they are declared, ids and names by the server.

`command-center completion bash` prints what a shell is to load. Later, at each Tab, the shell runs
`command-center` with a variable that asks for completions.
"""

from __future__ import annotations

import os
from typing import ClassVar, Final

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

VARIABLE: Final = "_COMMAND_CENTER_COMPLETE"
SHELLS: Final = ("bash", "zsh", "fish", "powershell")

_POWERSHELL: Final = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($word, $ast, $position)
    $length = $position - $ast.Extent.StartOffset
    $line = $ast.ToString().PadRight($length).Substring(0, $length)
    $env:COMP_LINE = $line
    $env:%(complete_var)s = "powershell_complete"
    try {
        %(prog_name)s | ForEach-Object {
            $value, $help = $_ -split "`t", 2
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new(
                $value, $value, "ParameterValue", $help)
        }
    } finally {
        $env:COMP_LINE = $null
        $env:%(complete_var)s = $null
    }
}
"""


class PowerShellComplete(ShellComplete):
    """Completion in PowerShell, which click itself does not know."""

    name: ClassVar[str] = "powershell"
    source_template: ClassVar[str] = _POWERSHELL

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the one that is typed, and what of that is there."""
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)[1:]
        if not words or line.endswith(" "):
            return words, ""
        return words[:-1], words[-1]

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return a line of the value, a tab, and its help."""
        return f"{item.value}\t{item.help or ''}"


add_completion_class(PowerShellComplete)


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(*, shell: str) -> None:
    """Print what SHELL loads to complete commands, ids and names."""
    kind = get_completion_class(shell)
    if kind is not None:
        main = click.get_current_context().find_root().command
        click.echo(kind(main, {}, "command-center", VARIABLE).source().strip())
