"""This machine as a host: its folders, its git, its Codex.

`host` puts them together. `folders` says where paths lead to, and `finding` which of them are
repositories. `git` runs git, held against hostile repositories, and `codex` reaches and starts
Codex. `gh` asks the GitHub CLI for its token, `boot_id` names this start of the machine, and
`tailscale` has Tailscale lead here. `releases` tells which version is installed here, by what, and
whether there is a newer one.
"""
