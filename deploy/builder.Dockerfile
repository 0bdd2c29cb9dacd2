# The builder as an image, from the folder that `make release` wrote (docs/install.md):
#   docker build --file deploy/builder.Dockerfile --tag encoderfile-builder dist
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" encoderfile-builder build ./my-model
FROM python:3.12-slim

# Frozen runtimes are kept in /var/cache/encoderfile. They are root's, so every user can build with them, and a build
# reads them only: --read-only --tmpfs /tmp:exec is enough, and so is --network none.
ENV XDG_CACHE_HOME=/var/cache

# PyInstaller freezes with objdump.
RUN apt-get update && \
    apt-get install --yes --no-install-recommends binutils && \
    rm -rf /var/lib/apt/lists/*

# The release is not copied into the image, but mounted while a step runs.
RUN --mount=type=bind,target=/release \
    pip install --no-cache-dir --root-user-action ignore --constraint /release/constraints.txt \
        "$(echo /release/onnx_encoderfile-*.whl)[quantize]"

# The runtime for this platform is frozen here; those for others come with the release.
RUN --mount=type=bind,target=/release \
    encoderfile runtime freeze && \
    for pack in /release/encoderfile-runtime-*.pack; do \
        case "$pack" in \
            *"-linux-$(uname -m)-"*) ;; \
            *) encoderfile runtime import "$pack" || exit 1 ;; \
        esac; \
    done

USER 1000:1000
WORKDIR /work
ENTRYPOINT ["encoderfile"]
CMD ["--help"]
