"""The difference of two sets of files, as a person is shown it."""

from command_center.actors.rules.unified_diffs import added, changed, deleted, diff_of, split_diff


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


def test_a_diff_is_read_again_file_by_file() -> None:
    parts = [
        added("new", "one\n++ two"),
        deleted("old", "-- three\n"),
        changed("b.py", "@@ -1,2 +1,2 @@\n--- x\n+++ y\n same\n", target="c.py"),
        "diff --git a/run.sh b/run.sh\nold mode 100644\nnew mode 100755\n",
        "diff --git a/p.png b/p.png\nnew file mode 100644\nBinary files x and b/p.png differ\n",
    ]
    found = split_diff("a line of nobody\n" + "".join(parts))
    assert parts == [file.text for file in found]
    assert [
        ("new", None, False, False, 2, 0),
        ("old", "old", True, False, 0, 1),
        ("c.py", "b.py", False, False, 1, 1),
        ("run.sh", "run.sh", False, False, 0, 0),
        ("p.png", None, False, True, 0, 0),
    ] == [(f.path, f.previous, f.is_deleted, f.is_binary, f.additions, f.deletions) for f in found]
