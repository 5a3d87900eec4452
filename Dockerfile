# sessiond in an image that holds one file.
#
#   docker build -t sessiond .
#   docker run -p 3567:3567 -v sessiond:/data sessiond
#
# Settings are environment variables (docs/configuration.md) or a config.yaml in /data.
# The program is linked statically against glibc: musl's allocator costs throughput. Checked without a container engine: such a
# binary, alone in a root folder with /dev, serves, answers `ready` and stops as user 65532.

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# A target must be named, or the flag would also reach build scripts and procedural macros.
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
 && RUSTFLAGS="-C target-feature=+crt-static" cargo build --locked --release --bin sessiond --target "$target" \
 && mkdir -p /image/usr/local/bin /image/data \
 && cp "target/$target/release/sessiond" /image/usr/local/bin/ \
 && strip /image/usr/local/bin/sessiond

FROM scratch
COPY --from=build /image/usr/local/bin/sessiond /usr/local/bin/sessiond
# The folder is in the image so that a fresh volume takes over its owner.
COPY --from=build --chown=65532:65532 --chmod=0700 /image/data /data
ENV PATH=/usr/local/bin SESSIOND_DATA_DIR=/data SUPERTOKENS_HOST=0.0.0.0
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 3567
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --start-interval=1s CMD ["sessiond", "ready"]
ENTRYPOINT ["sessiond"]
CMD ["serve"]
