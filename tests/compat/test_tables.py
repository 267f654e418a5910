"""Tables in objects: DuckDB's httpfs, Arrow datasets, and fsspec's s3fs, which read what they need by ranges."""
import pathlib
import random
import urllib.request

import pytest
from conftest import KEY_ID, SECRET, keys

pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")


def sent(server):
    """Bytes that the server has sent in bodies of answers."""
    with urllib.request.urlopen(f"{server.url}/_refract/metrics") as answer:
        lines = answer.read().decode().splitlines()
    found = [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("refract_sent_bytes_total")]
    assert found, [line for line in lines if "bytes" in line]
    return sum(found)


@pytest.fixture(scope="module")
def table():
    """A table whose notes are nearly all of its bytes."""
    dice = random.Random(7)
    count = 60_000
    return pyarrow.table({
        "id": list(range(count)),
        "city": [("Bern", "Lyon", "Oslo")[n % 3] for n in range(count)],
        "amount": [dice.randrange(1000) for _ in range(count)],
        "note": [dice.randbytes(60).hex() for _ in range(count)],
    })


@pytest.fixture
def duckdb(server):
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    package = pytest.importorskip("duckdb_extension_httpfs", reason="duckdb-extension-httpfs is not installed")
    extension = next(pathlib.Path(package.__file__).parent.rglob("httpfs.duckdb_extension"))
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    connection.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{KEY_ID}', SECRET '{SECRET}', REGION 'us-east-1', USE_SSL false, "
        f"URL_STYLE 'path', ENDPOINT '{server.url.removeprefix('http://')}')")
    yield connection
    connection.close()


@pytest.fixture
def arrow(server):
    from pyarrow import fs
    return fs.S3FileSystem(access_key=KEY_ID, secret_key=SECRET, region="us-east-1", scheme="http",
                           endpoint_override=server.url.removeprefix("http://"))


def test_duckdb_reads_a_column_by_ranges_and_writes_partitions(duckdb, server, s3, bucket, table):
    import pyarrow.parquet
    out = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(table, out, row_group_size=10_000)
    body = out.getvalue().to_pybytes()
    s3.put_object(Bucket=bucket, Key="rows.parquet", Body=body)
    before = sent(server)
    got = duckdb.execute(f"SELECT city, sum(amount) FROM 's3://{bucket}/rows.parquet' GROUP BY city ORDER BY city")
    expected = table.select(["city", "amount"]).group_by("city").aggregate([("amount", "sum")]).to_pylist()
    assert got.fetchall() == sorted((row["city"], row["amount_sum"]) for row in expected)
    assert 0 < sent(server) - before < len(body) / 4
    duckdb.execute(f"COPY (SELECT * FROM 's3://{bucket}/rows.parquet') TO 's3://{bucket}/parts' "
                   "(FORMAT parquet, PARTITION_BY (city))")
    assert {key.split("/")[0] for key in keys(s3, bucket, "parts/")} == {"city=Bern", "city=Lyon", "city=Oslo"}
    got = duckdb.execute(f"SELECT count(*), min(id) FROM 's3://{bucket}/parts/*/*.parquet' WHERE city = 'Lyon'")
    assert got.fetchall() == [(table.num_rows // 3, 1)]


def test_an_arrow_dataset_is_written_and_filtered(arrow, s3, bucket, table):
    from pyarrow import dataset
    dataset.write_dataset(table, f"{bucket}/set", filesystem=arrow, format="parquet",
                          partitioning=dataset.partitioning(pyarrow.schema([("city", pyarrow.string())]), flavor="hive"))
    found = dataset.dataset(f"{bucket}/set", filesystem=arrow, format="parquet", partitioning="hive")
    rows = found.to_table(columns=["id"], filter=(dataset.field("city") == "Oslo") & (dataset.field("id") < 9))
    assert rows.to_pydict() == {"id": [2, 5, 8]}
    with arrow.open_output_stream(f"{bucket}/stream") as out:
        for _ in range(12):
            out.write(b"x" * (1 << 20))
    assert s3.head_object(Bucket=bucket, Key="stream")["ContentLength"] == 12 << 20
    arrow.move(f"{bucket}/stream", f"{bucket}/moved")
    arrow.delete_dir(f"{bucket}/set")
    # A directory that lost its last file is kept by a marker.
    assert [key for key in keys(s3, bucket) if not key.endswith("/")] == ["moved"]


def test_fsspec_walks_writes_and_moves(server, s3, bucket):
    s3fs = pytest.importorskip("s3fs", reason="s3fs (Python) is not installed")
    there = s3fs.S3FileSystem(key=KEY_ID, secret=SECRET, endpoint_url=server.url, skip_instance_cache=True)
    there.pipe({f"{bucket}/a/one": b"1", f"{bucket}/a/b/two": b"22", f"{bucket}/\u96ea": b"333"})
    assert there.du(bucket) == 6 and sorted(there.find(f"{bucket}/a")) == [f"{bucket}/a/b/two", f"{bucket}/a/one"]
    with there.open(f"{bucket}/large", "wb", block_size=5 << 20) as file:
        for _ in range(12):
            file.write(b"0123456789abcdef" * (1 << 16))
    with there.open(f"{bucket}/large", "rb") as file:
        file.seek(7 << 20)
        assert file.read(16) == b"0123456789abcdef"
    assert there.cat_ranges([f"{bucket}/large"] * 2, [0, 3], [3, 5]) == [b"012", b"34"]
    there.mv(f"{bucket}/large", f"{bucket}/moved")
    there.rm(f"{bucket}/a", recursive=True)
    assert keys(s3, bucket) == ["moved", "\u96ea"]
