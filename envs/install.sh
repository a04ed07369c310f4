#!/bin/sh
# Install xstilts on a bare Debian 12, as root: the steps of envs/Dockerfile and envs/xstilts.def.
#
#     envs/install.sh SOURCE
#
# SOURCE is a clone. It makes /opt/xstilts, an environment with the pinned packages, and puts `xstilts`
# and `snakemake` on the path. PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu has pip take
# a torch without CUDA, if there is no GPU. LIBRARIES=FOLDER takes the packages in FOLDER in place of pip's.
set -eu
source=$1
target=/opt/xstilts

apt-get -qq update
apt-get -qq install -y --no-install-recommends ca-certificates python3 python3-venv
rm -rf /var/lib/apt/lists/*

python3 -m venv "$target"
if [ -n "${LIBRARIES:-}" ]; then
    "$target/bin/pip" -qq uninstall -y setuptools # older than the one in there
    for packages in "$target"/lib/python3*/site-packages; do
        echo "$LIBRARIES" >"$packages/libraries.pth"
    done
else
    "$target/bin/pip" install --no-cache-dir -r "$source/envs/requirements.txt"
fi
"$target/bin/pip" install --no-cache-dir --no-deps --no-build-isolation "$source"
ln -sf "$target/bin/xstilts" "$target/bin/snakemake" /usr/local/bin/
xstilts --version
