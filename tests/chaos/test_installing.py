"""The wheelhouse and the Debian package, as an operator on a closed network has them: built, then installed,
upgraded, rolled back and removed in a copy of this machine that has no network and is thrown away.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos_run import only_whole
from program import url_of

ROOT = Path(__file__).parents[2]
OWNER = "/etc/corrections-monitor/credentials/owner-database-url"
pytestmark = [pytest.mark.chaos, only_whole, pytest.mark.timeout(900)]

needs_postgresql = pytest.mark.skipif(
    not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")), reason="no PostgreSQL of Debian's"
)

# A layer of memory over the machine's own files; /tmp and the checkout are the machine's own.
COPY = """
mount -t tmpfs tmpfs "$LAYER"
mkdir "$LAYER"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=/,upperdir=$LAYER/upper,workdir=$LAYER/work" "$LAYER/root"
mount --bind /tmp "$LAYER/root/tmp"
mount -t proc proc "$LAYER/root/proc"
mount --rbind /dev "$LAYER/root/dev"
mount --bind "$ROOT" "$LAYER/root$ROOT"
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TMPDIR="$TMPDIR" \
    chroot "$LAYER/root" bash -euxc "$SCRIPT"
"""


def written(title: str) -> str:
    """The commands under a heading of the operator's guide."""
    section = (ROOT / "docs" / "operator-guide.md").read_text("utf-8").partition(f"## {title}\n")[2]
    return "\n".join(re.findall(r"```sh\n(.*?)```", section.partition("\n## ")[0], re.DOTALL))


@pytest.fixture(scope="module")
def packages() -> list[Path]:
    """Two packings of this version, the wheelhouse beside them."""
    if platform.machine() != "x86_64" or not Path("/usr/bin/python3.11").exists() or os.geteuid() != 0:
        pytest.skip("needs root on Debian 12")
    subprocess.run(["make", "deb", "REVISION=1"], cwd=ROOT, check=True)
    subprocess.run(["packaging/deb"], cwd=ROOT, env={**os.environ, "REVISION": "2"}, check=True)
    return sorted((ROOT / "build").glob("corrections-monitor_*.deb"))


@pytest.fixture
def there(server_folder: Path) -> Callable[[str], str]:
    """Runs a script in the copy; what it said, which is what went wrong too."""

    def run(script: str) -> str:
        layer = server_folder / "layer"
        layer.mkdir()
        environ = {**os.environ, "LAYER": str(layer), "ROOT": str(ROOT), "SCRIPT": script}
        environ.setdefault("TMPDIR", "/tmp")
        done = subprocess.run(
            ["unshare", "--mount", "--net", "bash", "-euc", COPY],
            env=environ, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        layer.rmdir()
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_package_is_installed_upgraded_rolled_back_and_removed(
    packages: list[Path], there: Callable[[str], str], empty_database_url: str
) -> None:
    first, second = packages
    said = there(f"""
        ! ping -c 1 -W 1 192.0.2.1 2>/dev/null
        dpkg -i {first}
        corrections-monitor --version
        corrections-monitor check --config /etc/corrections-monitor/monitor.toml
        dpkg -V corrections-monitor
        ! grep -rlI "{ROOT}" /usr/lib/corrections-monitor /var/lib/dpkg/info/corrections-monitor.*
        test "$(stat -c %a /etc/corrections-monitor/credentials)" = 700
        for unit in corrections-monitor corrections-monitor-api; do
            test -x "$(sed -n 's/^ExecStart=\\([^ ]*\\).*/\\1/p' /usr/lib/systemd/system/$unit.service)"
        done
        systemd-analyze cat-config systemd/journald.conf | grep -q MaxRetentionSec=7month

        echo '{url_of(empty_database_url)}' >{OWNER}
        echo '# ours' >>/etc/corrections-monitor/monitor.toml
        mkdir /var/lib/corrections-monitor
        touch /var/lib/corrections-monitor/audit-anchors.ndjson
        dpkg -i {second}   # migrates
        dpkg-query -W corrections-monitor
        CORRECTIONS_DATABASE_URL_FILE={OWNER} corrections-monitor audit verify
        tail -1 /etc/corrections-monitor/monitor.toml
        dpkg -i {first}    # back
        dpkg-query -W corrections-monitor
        CORRECTIONS_DATABASE_URL_FILE={OWNER} corrections-monitor status || true

        dpkg -r corrections-monitor
        tail -1 /etc/corrections-monitor/monitor.toml
        dpkg -P corrections-monitor
        ! test -e /etc/corrections-monitor/monitor.toml
        test -s {OWNER} -a -e /var/lib/corrections-monitor/audit-anchors.ndjson
        ! test -e /usr/lib/corrections-monitor
    """)
    version = first.name.split("_")[1].partition("-")[0]
    assert said.splitlines()[0].startswith("Selecting")
    assert f"corrections-monitor\t{version}-2" in said
    assert said.count("# ours") == 2


@pytest.mark.skipif(
    not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")), reason="no PostgreSQL of Debian's"
)
def test_the_package_shows_the_demo(packages: list[Path], there: Callable[[str], str]) -> None:
    said = there(f"""
        ip link set lo up
        dpkg -i {packages[0]}
        cd "$(mktemp -d)"
        corrections-monitor demo --for 20s --people 60
    """)
    assert "http://127.0.0.1:" in said


@needs_postgresql
def test_the_operators_guide_installs_and_provisions_as_written(
    packages: list[Path], there: Callable[[str], str]
) -> None:
    """But for systemd, which does not run in the copy, and for apt, which has no network there."""
    install = (
        written("Install 安装").replace("apt install", "dpkg -i").replace("_*.deb postgresql", "_*-1_*.deb")
    )
    devices = written("Devices: provisioning, spares, swaps 设备").replace(
        "issue device --all-devices some", "rotate device --all-devices some"
    )
    said = there(f"""
        ip link set lo up
        systemctl() {{ echo "systemctl $*"; }}
        pg_ctlcluster "$(ls /etc/postgresql)" main start
        cd {packages[0].parent}
        {install}
        ls -l /etc/corrections-monitor/credentials
        /usr/lib/corrections-monitor/bin/python -m simulators city /srv/cases --people 30
        first="$(sed -n 's/^\\([^,]*\\),.*,admin,.*/\\1/p' /srv/cases/officers.csv | head -1)"
        cd "$(mktemp -d)"
        {written("First day 第一天").replace("O-admin", '"$first"')}
        {{ echo device_id; sed -n 's/^\\([^,]*\\),.*/\\1/p' /srv/cases/devices.csv | sed -n 2p; }} >list.csv
        {devices}
        wc -l passwords.csv some.csv
        {written("Backup and restore 备份与恢复")}
        corrections-monitor audit verify
        # The two logins work as the units use them.
        export CORRECTIONS_DATABASE_URL_FILE=/etc/corrections-monitor/credentials/engine-database-url
        CORRECTIONS_DEVICE_LISTEN=127.0.0.1:0 timeout 20 corrections-monitor run &
        export CORRECTIONS_DATABASE_URL_FILE=/etc/corrections-monitor/credentials/api-database-url
        timeout 20 corrections-monitor serve &
        sleep 15
        curl -sS http://127.0.0.1:9464/readyz
        curl -sS http://127.0.0.1:8080/readyz
        wait
    """)
    assert "systemctl enable --now corrections-monitor corrections-monitor-api" in said
    assert "2 some.csv" in said
    assert said.count('"status": "ready"') + said.count('"status":"ready"') == 2


def test_the_wheelhouse_is_installed_beside_what_was_there_and_points_back(
    packages: list[Path], there: Callable[[str], str]
) -> None:
    version = packages[0].name.split("_")[1].partition("-")[0]
    house = ROOT / "build" / f"corrections-monitor-{version}.tar"
    said = there(f"""
        cd "$(mktemp -d)"
        tar -xf {house}
        corrections-monitor-{version}/install
        mv /opt/corrections-monitor-{version} /opt/corrections-monitor-0.0.1
        corrections-monitor-{version}/install
        /opt/corrections-monitor/bin/corrections-monitor check
        ! corrections-monitor-{version}/install
        corrections-monitor-{version}/install --back 0.0.1
        readlink /opt/corrections-monitor
        ! corrections-monitor-{version}/install --back 0.0.2
        corrections-monitor-{version}/install --back {version}
        echo x >>corrections-monitor-{version}/wheels/"$(ls corrections-monitor-{version}/wheels | head -1)"
        rm -r /opt/corrections-monitor-{version}
        ! corrections-monitor-{version}/install
        ! test -e /opt/corrections-monitor-{version}
    """)
    assert f"/opt/corrections-monitor -> /opt/corrections-monitor-{version}: {version}" in said
    assert "\ncorrections-monitor-0.0.1\n" in said


def test_the_same_commit_packs_the_same(packages: list[Path]) -> None:
    house = next((ROOT / "build").glob("corrections-monitor-*.tar"))
    before = house.read_bytes()
    subprocess.run(["packaging/wheelhouse"], cwd=ROOT, check=True)
    assert house.read_bytes() == before
