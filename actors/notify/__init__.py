"""Notifications by Apprise: ntfy, Slack, Discord, e-mail and whatever else it has a URL for.

`channel` writes what a notice says for each place of the `settings`, and `carrier` has Apprise
leave it there, in a thread. `targets` keeps what each place is told and sends a test, and `tree`
has the actors. Apprise is loaded only where a place is set (`places`).
"""
