"""Functions that attack: each is held to what is its own, and the others are served meanwhile."""
import concurrent.futures
import contextlib
import glob
import http.server
import io
import json
import os
import pathlib
import socket
import struct
import subprocess
import threading
import time
import urllib.parse
import zipfile

import pytest
from conftest import ROLE, ROOT, Server, binary
from test_functions import PLAIN, Functions, package, refused

HANDLER = "def handler(event, context):\n    "


class Webhook:
    """A function's HTTP service that lets the test have the event before it is answered."""

    def __init__(self):
        hook = self
        self.asked, self.answer = threading.Event(), threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                hook.event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.asked.set()
                hook.answer.wait(20)
                context = hook.event["getObjectContext"]
                self.send_response(200)
                self.send_header("x-amz-request-route", context["outputRoute"])
                self.send_header("x-amz-request-token", context["outputToken"])
                self.send_header("Content-Length", "8")
                self.end_headers()
                self.wfile.write(b"from her")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture(scope="module")
def fn(tmp_path_factory):
    functions = Functions(tmp_path_factory.mktemp("hostile"), "--webhook-private", seconds=8)
    functions.bystander = functions.create("def handler(event, context):\n    return 'well'\n")
    yield functions
    functions.server.stop()


@pytest.fixture(scope="module")
def isolated(fn):
    """Skips where the host has not what full isolation takes."""
    for _ in range(100):
        shown = json.loads(command(fn, "function", "platform"))
        if shown["isolation"] != "unknown":
            break
        time.sleep(0.1)
    if shown["isolation"] != "full":
        pytest.skip(f"this host lacks {shown['missing']}")


@pytest.fixture(autouse=True)
def the_server_stays_up(fn):
    """After each attack another function is served, by the server that was there before."""
    yield
    assert fn.server.process.poll() is None
    assert fn.invoke(fn.bystander)[1] == "well"


def command(fn, *words):
    done = subprocess.run(
        [binary(), *words, "--endpoint-url", fn.server.url], capture_output=True, text=True,
        env={**os.environ, "AWS_ACCESS_KEY_ID": "AKIACOMPATTESTS00000",
             "AWS_SECRET_ACCESS_KEY": "compat-tests-secret-access-key-000000000"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def memory(fn):
    """The server's own memory in MiB, without what it maps of files."""
    for line in pathlib.Path(f"/proc/{fn.server.process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) >> 10
    raise AssertionError("no RssAnon")


def timed_out(fn, source, **more):
    answer, body = fn.invoke(fn.create(source, Timeout=2, **more))
    assert (answer["FunctionError"], body["errorType"]) == ("Unhandled", "Sandbox.Timedout"), body


def test_an_endless_loop(fn):
    timed_out(fn, HANDLER + "while True: pass\n")


def idle_groups(fn, name, event):
    """How many groups of this server take what is left of the processors, again and again while a function runs for a
    second or so. Others of this module may have workers, which are as ever, and some may just be about to go."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running, found = pool.submit(fn.invoke, name, event), []
        time.sleep(0.5)
        while not running.done():
            count = 0
            for file in glob.glob(f"/sys/fs/cgroup/**/refract-{fn.server.process.pid}-*/cpu.idle", recursive=True):
                with contextlib.suppress(OSError):
                    count += pathlib.Path(file).read_text().strip() == "1"
            found.append(count)
            time.sleep(0.05)
        assert running.result()[1] == "done"
    return found


@pytest.fixture
def idle_cpu(isolated):
    """Skips where the kernel has no cpu.idle."""
    if not any(glob.glob("/sys/fs/cgroup/**/cpu.idle", recursive=True)):
        pytest.skip("this kernel's groups have no cpu.idle")


def test_what_computes_long_takes_what_is_left(fn, idle_cpu):
    name = fn.create("import time\n" + HANDLER + """
    until = time.process_time() + event[0]
    while time.process_time() < until: pass
    time.sleep(event[1])
    return 'done'
""", MemorySize=1024)
    assert min(idle_groups(fn, name, [0, 1])) == 0
    assert max(idle_groups(fn, name, [0.9, 0])) == 1
    assert min(idle_groups(fn, name, [0, 1])) == 0


def test_what_dies_in_a_row_waits_and_takes_what_is_left(fn, idle_cpu):
    name = fn.create("import os, time\n" + HANDLER + """
    if event == 'die':
        os._exit(1)
    time.sleep(1)
    return 'done'
""")
    for _ in range(4):
        assert fn.invoke(name, "die")[1]["errorType"] == "Runtime.ExitError"
    began = time.monotonic()
    assert fn.invoke(name, "die")[1]["errorType"] == "Runtime.ExitError"
    assert time.monotonic() - began >= 0.1

    assert max(idle_groups(fn, name, "live")) == 1
    assert min(idle_groups(fn, name, "live")) == 0


def test_what_dies_in_a_row_leaves_a_processor_free(fn, isolated):
    name = fn.create("import os\n" + HANDLER + """
    if event == 'die':
        os._exit(1)
    return len(os.sched_getaffinity(0))
""")
    processors = len(os.sched_getaffinity(fn.server.process.pid))
    assert fn.invoke(name, "live")[1] == processors
    for _ in range(4):
        assert fn.invoke(name, "die")[1]["errorType"] == "Runtime.ExitError"
    assert fn.invoke(name, "live")[1] == max(processors - 1, 1)
    # This worker has come back for more.
    assert fn.invoke(name, "live")[1] == processors


def test_a_fork_bomb(fn, isolated):
    mark = f"bomb-of-{os.getpid()}-{time.time_ns()}"
    marked = {"Environment": {"Variables": {"MARK": mark}}}
    name = fn.create("import os, time\n" + HANDLER + """
    count = 0
    while True:
        try:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
            count += 1
        except OSError:
            return count
""", **marked)
    assert 100 < fn.invoke(name)[1] < 1100
    # They sleep in its sandbox, and leave others room to start.
    assert fn.invoke(fn.create(HANDLER + "return 'well'\n"))[1] == "well"
    fn.awslambda.delete_function(FunctionName=name)
    timed_out(fn, "import os\n" + HANDLER + "while True:\n        try: os.fork()\n        except OSError: pass\n", **marked)
    # It is all gone.
    for _ in range(50):
        own = sum(mark.encode() in environment for environment in proc("environ"))
        if own == 0:
            return
        time.sleep(0.1)
    raise AssertionError(f"{own} processes are left")


def command_lines():
    return proc("cmdline")


def proc(name):
    """A file of each process of the host."""
    for path in pathlib.Path("/proc").glob(f"[0-9]*/{name}"):
        try:
            yield path.read_bytes()
        except OSError:
            continue


def test_a_memory_hog(fn, isolated):
    hog = fn.create(HANDLER + "x = []\n    while True: x.append(bytearray(10 << 20))\n", MemorySize=128)
    assert fn.invoke(hog)[1]["errorType"] == "Runtime.ExitError"
    # What it writes to /tmp is not on the host's disk, and bounded by EphemeralStorage.
    name = fn.create(HANDLER + """
    written = 0
    try:
        with open("/tmp/x", "wb", buffering=0) as file:
            while True: written += file.write(bytes(1 << 20))
    except OSError: pass
    return written >> 20
""", MemorySize=1769)
    assert 500 <= fn.invoke(name)[1] <= 512


def test_a_writer_of_endless_output(fn):
    before = memory(fn)
    timed_out(fn, HANDLER + "while True: print('x' * 1000)\n")
    name = fn.create(HANDLER + "print('y' * (20 << 20))\n")
    answer, _ = fn.invoke(name, LogType="Tail")
    log = fn.log(name, answer["ResponseMetadata"]["RequestId"])
    assert len(log) < 300 << 10 and "bytes before this were not kept" in log
    assert memory(fn) - before < 64


def test_an_answer_without_end(fn):
    """What nobody stops is cut at the limit of time, and the caller does not take it for the whole."""
    name = fn.create(PLAIN + """
def handler(event, context):
    def endless():
        while True:
            yield bytes(65536)
    answer(event["getObjectContext"], endless())
""")
    before = memory(fn)
    with pytest.raises(Exception, match="(?i)incomplete|broken|connection|reset|premature"):
        body = fn.s3.get_object(Bucket=fn.lens(name), Key="k")["Body"]
        while body.read(1 << 20):
            pass
    assert memory(fn) - before < 64


def test_a_slow_reader(fn):
    """A client that reads a function's large answer bit by bit holds little memory, and no longer than the limit."""
    name = fn.create(PLAIN + """
def handler(event, context):
    answer(event["getObjectContext"], (bytes(65536) for _ in range(4096)))
""", MemorySize=512)
    lens = fn.lens(name)
    url = urllib.parse.urlsplit(fn.s3.generate_presigned_url("get_object", Params={"Bucket": lens, "Key": "k"}))
    before, readers = memory(fn), []
    for _ in range(4):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(20)
        one.connect((url.hostname, url.port))
        one.sendall(f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode())
        readers.append(one)
    began = time.monotonic()
    assert readers[0].recv(12) == b"HTTP/1.1 200"
    while time.monotonic() - began < 3:
        for one in readers:
            one.recv(256)
        assert fn.invoke(fn.bystander)[1] == "well"
        time.sleep(0.2)
    assert memory(fn) - before < 128
    # After the limit the connection ends, without the chunk that would say that this was all.
    time.sleep(max(9 - (time.monotonic() - began), 0))
    rest = b""
    try:
        while chunk := readers[0].recv(1 << 20):
            rest = (rest + chunk)[-64:]
    except ConnectionResetError:
        pass
    assert not rest.endswith(b"0\r\n\r\n")
    for one in readers:
        one.close()


def test_a_reader_of_other_functions_files_and_memory(fn, isolated):
    victim = fn.create("""
import os, time
secret = "the victim's " + "secret"
def handler(event, context):
    with open("/tmp/secret", "w") as file: file.write(secret)
    time.sleep(event.get("sleep", 0))
    return os.environ["HIDDEN"]
""", Environment={"Variables": {"HIDDEN": "hidden-value"}})
    fn.invoke(victim)
    spy = fn.create("""
import ctypes, os
def handler(event, context):
    seen = {"task": sorted(os.listdir("/var/task")), "tmp": os.listdir("/tmp"),
            "processes": sorted(one for one in os.listdir("/proc") if one.isdigit())}
    found = []
    for root in ("/tmp", "/var", "/opt", "/home", "/root", "/etc", "/run", "/mnt", "/srv", "/sys", *event["paths"]):
        for directory, _, names in os.walk(root):
            for name in names:
                try:
                    with open(os.path.join(directory, name), "rb") as file: content = file.read(1 << 16)
                except OSError:
                    continue
                if any(mark.encode() in content for mark in event["marks"]):
                    found.append(os.path.join(directory, name))
    seen["found"] = found
    seen["paths"] = [path for path in event["paths"] if os.path.exists(path)]
    libc = ctypes.CDLL(None, use_errno=True)
    # PTRACE_ATTACH, to this process's parent and to those of the host.
    seen["traced"] = [pid for pid in (1, os.getppid(), *event["pids"]) if pid not in (0, os.getpid()) and libc.ptrace(16, pid, 0, 0) == 0]
    for name, how in (("/proc/1/mem", "rb"), ("/dev/mem", "rb"), ("/proc/kcore", "rb"), ("/var/task/app.py", "ab"),
                      ("/usr/bin/new", "wb"), ("/proc/sysrq-trigger", "wb"), ("/proc/sys/kernel/core_pattern", "wb")):
        try:
            open(name, how).close()
            seen.setdefault("opened", []).append(name)
        except OSError:
            pass
    for name in ("mount", "unshare", "setns"):
        call = {"mount": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), "unshare": lambda: libc.unshare(0x10000000),
                "setns": lambda: libc.setns(0, 0)}[name]
        if call() == 0: seen.setdefault("called", []).append(name)
    seen["root"] = os.getuid() == 0 and open("/proc/self/status").read().split("CapEff:")[1].split()[0]
    return seen
""")
    running = threading.Thread(target=fn.invoke, args=(victim, {"sleep": 3}))
    running.start()
    time.sleep(0.5)
    paths = [str(fn.runtimes.parent / "store"), str(ROOT), "/sys/fs/cgroup", "/etc/shadow"]
    pids = [fn.server.process.pid, os.getpid()]
    seen = fn.invoke(spy, {"paths": paths, "pids": pids, "marks": ["the victim's secret", "hidden-value"]})[1]
    running.join()
    assert seen["task"] == ["app.py"] and seen["tmp"] == [] and seen["processes"] == ["1"], seen
    assert seen["found"] == [] and seen["paths"] == [] and seen["traced"] == [], seen
    # Its own memory is its own.
    assert set(seen.get("opened", [])) <= {"/proc/1/mem"} and "called" not in seen, seen
    assert seen["root"] in (False, "0000000000000000"), seen


def test_a_port_scanner_of_the_host(fn, isolated):
    listening = socket.create_server(("127.0.0.1", 0))
    everywhere = socket.create_server(("0.0.0.0", 0))
    name = fn.create("""
import os, socket
def open_at(address, port):
    with socket.socket() as one:
        one.settimeout(0.5)
        # A socket may be given the port that it asks for, and then meets itself.
        return one.connect_ex((address, port)) == 0 and one.getsockname() != one.getpeername()
def handler(event, context):
    seen = {"loopback": [port for port in range(1, 65536) if open_at("127.0.0.1", port)]}
    seen["others"] = [[address, port] for address in event["addresses"] for port in event["ports"] if open_at(address, port)]
    with open("/proc/net/dev") as file: seen["interfaces"] = [line.split(":")[0].strip() for line in file if ":" in line]
    for family, kind, protocol in ((socket.AF_PACKET, socket.SOCK_RAW, 0), (socket.AF_INET, socket.SOCK_RAW, 1)):
        try:
            socket.socket(family, kind, protocol).close()
            seen.setdefault("raw", []).append(family)
        except OSError:
            pass
    seen["own"] = sorted([int(os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")[1]), int(os.environ["AWS_ENDPOINT_URL"].rsplit(":", 1)[1])])
    return seen
""")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))
            own = one.getsockname()[0]
        except OSError:
            own = "127.0.0.1"
    ports = [int(fn.server.url.rsplit(":", 1)[1]), listening.getsockname()[1], everywhere.getsockname()[1], 22]
    seen = fn.invoke(name, {"addresses": [own, "127.0.0.2", "0.0.0.0", "169.254.169.254"], "ports": ports})[1]
    assert seen["loopback"] == seen["own"] and seen["interfaces"] == ["lo"] and "raw" not in seen, seen
    assert not any(port in ports for port in seen["own"])
    assert seen["others"] == [], seen
    listening.close()
    everywhere.close()


def test_a_process_that_outlives_its_invocation(fn, isolated):
    """It takes no time and has no network while its sandbox is frozen, goes on at the next invocation, and ends with it."""
    name = fn.create("""
import json, os, subprocess, sys, time
BEAT = '''
import os, time, urllib.request
with open("/tmp/beats", "a", buffering=1) as file:
    while True:
        try:
            urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_refract/health/live", timeout=1).close()
        except urllib.request.HTTPError:
            pass
        file.write(f"{time.time()} {time.process_time()}\\\\n")
        time.sleep(0.02)
'''
def handler(event, context):
    if not os.path.exists("/tmp/beats"):
        subprocess.Popen([sys.executable, "-c", BEAT], start_new_session=True)
    begun = os.path.getsize("/tmp/beats") if os.path.exists("/tmp/beats") else 0
    while not os.path.exists("/tmp/beats") or os.path.getsize("/tmp/beats") < begun + 200: time.sleep(0.05)
    with open("/tmp/beats") as file: return [line.split() for line in file]
""")
    assert "FunctionError" not in fn.invoke(name)[0]
    frozen = time.time()
    time.sleep(2)
    thawed = time.time()
    beats = [(float(at), float(used)) for at, used in fn.invoke(name)[1]]
    before = [beat for beat in beats if beat[0] < frozen]
    after = [beat for beat in beats if beat[0] >= thawed]
    # It was running on both sides, and not in between: 100 ms are for the freezer and for clocks.
    assert before and after, (frozen, thawed, beats)
    assert not [at for at, _ in beats if frozen + 0.1 < at < thawed - 0.1]
    assert after[0][1] - before[-1][1] < 0.2
    fn.awslambda.delete_function(FunctionName=name)
    for _ in range(50):
        if not any(b"/tmp/beats" in cmdline for cmdline in command_lines()):
            return
        time.sleep(0.1)
    raise AssertionError("it is still there")


def test_a_worker_of_a_server_that_was_killed(fn, isolated, tmp_path):
    """It is frozen, so that it does not die with its server; the next server ends it."""
    mark = f"worker-of-{os.getpid()}-{time.time_ns()}"
    left = lambda: sum(mark.encode() in environment for environment in proc("environ"))  # noqa: E731
    other = Functions(tmp_path)
    name = other.create(HANDLER + "return 'well'\n", Environment={"Variables": {"MARK": mark}})
    assert other.invoke(name)[1] == "well" and left() == 1
    time.sleep(0.5)
    other.server.process.kill()
    other.server.process.wait()
    again = Server(tmp_path / "store", "--allow-weak-isolation")
    try:
        for _ in range(100):
            if left() == 0:
                return
            time.sleep(0.1)
        raise AssertionError("it is still there")
    finally:
        again.stop()


def answering(fn):
    """A function that answers with the route and token that it is invoked with, and says what it was told."""
    return fn.create(PLAIN + "\ndef handler(event, context):\n"
                     "    return answer(event['getObjectContext'], b'from him')\n")


def test_an_answer_with_a_stolen_token(fn):
    hook = Webhook()
    command(fn, "function", "put", "victim-hook", "--webhook", hook.url)
    lens, thief = fn.lens("victim-hook"), answering(fn)
    got = []
    reader = threading.Thread(target=lambda: got.append(fn.s3.get_object(Bucket=lens, Key="k")["Body"].read()))
    reader.start()
    assert hook.asked.wait(10)
    # The token is good, the request waits, and it is another function that answers.
    status, said = fn.invoke(thief, {"getObjectContext": hook.event["getObjectContext"]})[1]
    assert status == 400 and "ValidationError" in said, (status, said)
    hook.answer.set()
    reader.join()
    assert got == [b"from her"]
    # And it is of no more use when its request is over.
    status, said = fn.invoke(thief, {"getObjectContext": hook.event["getObjectContext"]})[1]
    assert status == 400 and "ValidationError" in said, (status, said)


def test_an_answer_with_a_used_token(fn):
    name = fn.create(PLAIN + """
kept = None
def handler(event, context):
    global kept
    if "getObjectContext" in event:
        kept = event["getObjectContext"]
        print("first", answer(kept, b"once")[0], "second", answer(kept, b"twice")[0])
    else:
        return answer(kept, b"later")
""")
    read = fn.s3.get_object(Bucket=fn.lens(name), Key="k")
    assert read["Body"].read() == b"once"
    status, said = fn.invoke(name)[1]
    assert status == 400 and "ValidationError" in said, (status, said)
    assert "first 200 second 400" in fn.log(name, read["ResponseMetadata"]["RequestId"])


def test_an_answer_with_a_forged_token(fn):
    forger = answering(fn)
    name = fn.create(PLAIN + """
def handler(event, context):
    context = event["getObjectContext"]
    token = context["outputToken"]
    forged = ["", "A", token[:-1], token + "A", token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), token.swapcase(), "A" * len(token)]
    told = [answer({**context, "outputToken": one}, b"forged")[0] for one in forged]
    answer(context, json.dumps(told).encode())
""")
    told = json.loads(fn.s3.get_object(Bucket=fn.lens(name), Key="k")["Body"].read())
    assert told == [400] * 7
    for token in ("A" * 59, "x", "\u00fc" * 10):
        event = {"getObjectContext": {"outputRoute": "olap", "outputToken": urllib.parse.quote(token)}}
        assert fn.invoke(forger, event)[1][0] == 400


def create(fn, code):
    return refused(fn.awslambda.create_function, FunctionName="bomb", Runtime="python3.11", Handler="app.handler",
                   Role=ROLE, Code={"ZipFile": code})


def test_a_zip_bomb(fn):
    before = memory(fn)
    refusal = ("InvalidParameterValueException", 400)
    assert create(fn, package({"zeros": bytes(251 << 20)})) == refusal
    assert create(fn, package({f"{n}": b"" for n in range(20_001)})) == refusal
    # One that lies about its size: it says one byte, and unpacks to 300 MiB.
    lying = bytearray(package({"zeros": bytes(300 << 20)}))
    honest = struct.pack("<I", 300 << 20)
    while (at := lying.find(honest)) >= 0:
        lying[at:at + 4] = struct.pack("<I", 1)
    assert create(fn, bytes(lying)) == refusal
    # Entries that share their bytes.
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0", bytes(100 << 20))
        first = archive.infolist()[0]
        for n in range(1, 50):
            same = zipfile.ZipInfo(str(n))
            for field in ("compress_type", "CRC", "compress_size", "file_size", "header_offset", "external_attr"):
                setattr(same, field, getattr(first, field))
            archive.filelist.append(same)
    assert create(fn, out.getvalue()) == refusal
    assert memory(fn) - before < 256


def test_a_head_reply_of_more_than_6_mb(fn):
    fn.s3.put_object(Bucket="functions", Key="head", Body=b"12345")
    large = fn.create(HANDLER + "return {'statusCode': 200, 'headers': {'x-amz-meta-y': 'y' * 7_000_000}}\n")
    assert refused(fn.s3.head_object, Bucket=fn.lens(large, "HeadObject"), Key="head")[1] == 500
    body = fn.invoke(large)[1]
    assert body["errorType"] == "Function.ResponseSizeTooLarge" and "6291556" in body["errorMessage"], body
    # The same of a listing, and HEADs whose headers fit into 6 MB but into no answer.
    assert refused(fn.s3.list_objects_v2, Bucket=fn.lens(large, "ListObjectsV2"))[1] == 500
    for headers in ("{f'x-amz-meta-{n}': 'y' * 1000 for n in range(5000)}", "{f'x-amz-meta-{n}': '' for n in range(100_000)}"):
        many = fn.create(HANDLER + f"return {{'statusCode': 200, 'headers': {headers}}}\n")
        assert refused(fn.s3.head_object, Bucket=fn.lens(many, "HeadObject"), Key="head")[1] == 400
