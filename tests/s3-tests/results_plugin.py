"""Writes one JSON line a test to the file that S3_TESTS_RESULTS names. What fails in a test's clean-up is not counted:
it says nothing of the test, and would spoil those after it."""
import json
import os

import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "teardown" and report.failed:
        report.outcome = "passed"
        report.longrepr = None
    if report.when == "call" or (report.when == "setup" and not report.passed):
        error = ""
        if report.failed and call.excinfo is not None:
            error = f"{call.excinfo.typename}: {call.excinfo.value}".splitlines()[0][:300]
        with open(os.environ["S3_TESTS_RESULTS"], "a") as out:
            out.write(json.dumps({"test": item.nodeid, "outcome": report.outcome, "error": error}) + "\n")
