# sessiond in an image with a single file.
#
#   docker build -t sessiond .
#   docker run -p 3567:3567 -v sessiond:/data sessiond
#
# Settings are environment variables (docs/configuration.md) or a config.yaml in /data.
# The binary is linked statically against glibc, because musl's allocator costs throughput. `tests/all container` builds
# the last stage around a binary that is linked the same way, and runs the image.

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# Only the last step needs to know about static linking.
RUN cargo rustc --locked --profile dist --bin sessiond -- -C target-feature=+crt-static \
 && mkdir -p /image/usr/local/bin /image/data \
 && cp target/dist/sessiond /image/usr/local/bin/ \
 && strip /image/usr/local/bin/sessiond

FROM scratch
COPY --from=build /image/usr/local/bin/sessiond /usr/local/bin/sessiond
COPY LICENSE NOTICE /
# The folder is in the image so that a fresh volume gets its owner.
COPY --from=build --chown=65532:65532 --chmod=0700 /image/data /data
ENV PATH=/usr/local/bin SESSIOND_DATA_DIR=/data SUPERTOKENS_HOST=0.0.0.0
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 3567
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s CMD ["sessiond", "ready"]
ENTRYPOINT ["sessiond"]
CMD ["serve"]
