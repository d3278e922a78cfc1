"""How a scan of a large account grows: API calls, time and memory, with moto's server on loopback as the account.

Usage: python benchmarks/live_aws.py [GROUPS ...] (default 1000; 10000 takes minutes, most of it building the account)

Each account has GROUPS security groups of 20 rules in VPCs of 2,000, and 300 machines for each 1,000 groups. The pages
are as AWS gives them. The lower bound of calls is the number of full pages of everything that is asked for.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
RULES = 20
MACHINES = 300  # for each 1,000 groups
REGION = "eu-west-1"


def build(url: str, groups: int) -> None:
    """Make the account. The rules are put into moto's own store, since authorising them one by one takes hours."""
    import boto3
    from moto.ec2 import ec2_backends

    ec2 = boto3.client("ec2", endpoint_url=url)
    backend = ec2_backends["123456789012"][REGION]
    subnet = ""
    made: list[str] = []
    for number in range(groups):
        if number % 2000 == 0:
            vpc = ec2.create_vpc(CidrBlock=f"10.{number // 2000}.0.0/16")["Vpc"]["VpcId"]
            subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{number // 2000}.0.0/20")["Subnet"]["SubnetId"]
        group = backend.create_security_group(f"group-{number}", "benchmark", vpc)
        made.append(group.id)
        for rule in range(RULES):
            backend.authorize_security_group_ingress(
                group.id, "tcp", str(1000 + rule), str(1000 + rule), ip_ranges=[{"CidrIp": f"10.9.{rule}.0/24"}]
            )
        if number % 1000 < MACHINES:
            backend.create_network_interface(
                backend.get_subnet(subnet), None, group_ids=[group.id], description="", tags=[]
            )


def lower_bound(snapshot: Any) -> int:
    """How many calls there must be: the full pages of every list, one for each empty one, and one for the caller."""
    from lint.aws.collect.calls import BY_NAME

    calls = 1
    for answer in snapshot.answers():
        operation = BY_NAME[answer.call.operation]
        held = sum(len(page.get(operation.key) or ()) for page in answer.pages)
        calls += max(1, math.ceil(held / operation.size)) if operation.size else 1
    return calls


def scan(url: str) -> dict[str, Any]:
    """One scan in a process of its own, and what it cost."""
    code = f"import runpy; runpy.run_path({str(Path(__file__))!r})['measure']()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "AWS_ENDPOINT_URL": url},
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure() -> None:
    """The scan itself; prints what it cost as JSON."""
    from lint.live import snapshot as evidence
    from lint.live.options import LiveOptions
    from lint.sources import LoadOptions, keep, load, parse

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "audit.json.zst"
        start = time.perf_counter()
        found = keep(parse(f"aws:{REGION}"), file, LiveOptions(progress=False))
        kept = time.perf_counter()
        collected = peak()
        size = file.stat().st_size
        graph = load([parse(str(file))], LoadOptions()).graph
        read = time.perf_counter()
        evidence.read(file)
        said = {
            "calls": sum(found.requests.values()),
            "lower_bound": lower_bound(found),
            "groups": sum(1 for f in graph.filters.values() if f.kind == "security_group"),
            "rules": sum(len(f.rules) for f in graph.filters.values()),
            "machines": sum(1 for e in graph.endpoints.values() if not e.hypothetical),
            "failed": len(found.failures()),
            "scan_seconds": round(kept - start, 2),
            "scan_memory_mib": collected,
            "snapshot_kib": size >> 10,
            "read_seconds": round(read - kept, 2),
            "read_memory_mib": peak(),
        }
    print(json.dumps(said))


def peak() -> int:
    """The most memory that this process has held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def main(sizes: list[int]) -> None:
    """Build each account, scan it, and print one line of JSON for it."""
    from moto.core.model_instances import reset_model_data

    from tests.live.server import Aws

    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing", AWS_DEFAULT_REGION=REGION)
    for groups in sizes:
        aws = Aws(page_size=1000)
        aws.start()
        start = time.perf_counter()
        build(aws.url, groups)
        built = round(time.perf_counter() - start, 1)
        aws.slowest = 0.0
        said = {"size": groups, "built_seconds": built, **scan(aws.url)}
        print(json.dumps({**said, "slowest_answer_of_moto_seconds": round(aws.slowest, 2)}), flush=True)
        aws.stop()
        reset_model_data()


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [1000])
