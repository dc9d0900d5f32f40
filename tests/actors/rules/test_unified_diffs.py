"""The difference of two sets of files, as a person is shown it."""

from command_center.actors.rules.unified_diffs import diff_of


def test_a_person_is_shown_what_differs_from_what_was_trusted_before() -> None:
    before = {"a": "one\ntwo\n", "b": "gone\n", "c": "same\n"}
    now = {"a": "one\n2\n", "c": "same\n", "d": "new\n"}
    assert """\
--- a
+++ a
@@ -1,2 +1,2 @@
 one
-two
+2
--- b
+++ /dev/null
@@ -1 +0,0 @@
-gone
--- /dev/null
+++ d
@@ -0,0 +1 @@
+new
""" == diff_of(before, now)
