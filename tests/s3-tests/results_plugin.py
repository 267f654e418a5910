"""Writes one JSON line a test to the file that S3_TESTS_RESULTS names. What fails in a test's clean-up is not counted:
it says nothing of the test, and would spoil those after it. Where S3_TESTS_ACCOUNT names an account, it is written into
the ARNs of the tests of IAM and STS, which have none."""
import importlib.abc
import importlib.machinery
import json
import os
import sys

import pytest


class WithAccount(importlib.abc.MetaPathFinder):
    """Finds the modules of IAM and STS, and reads them with the account in their ARNs."""

    def find_spec(self, name, path=None, target=None):
        if name.rpartition(".")[2] not in ("test_iam", "test_sts"):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = Loader(name, spec.origin)
        return spec


class Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname):
        source = self.get_data(self.path).decode()
        source = source.replace("arn:aws:iam:::assumed-role/", f"arn:aws:sts::{ACCOUNT}:assumed-role/")
        source = source.replace("arn:aws:sts:::", f"arn:aws:sts::{ACCOUNT}:")
        source = source.replace("arn:aws:iam:::", f"arn:aws:iam::{ACCOUNT}:")
        return compile(source, self.path, "exec")


ACCOUNT = os.environ.get("S3_TESTS_ACCOUNT")
if ACCOUNT:
    sys.meta_path.insert(0, WithAccount())


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
