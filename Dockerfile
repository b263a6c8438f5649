# The image of the server: one program, which brings its schema and its documents with it.
#
#     docker build --tag agentidp .
#
# The base images are pinned by tag; whoever needs builds that repeat to the bit adds their digests.

FROM rust:1.95-slim-trixie AS build
WORKDIR /src
COPY . .
# The C of the cryptography and of SQLite needs no more than the compiler of this image. What was fetched and built stays
# in caches of the builder, so that an edit does not build every package again.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    cargo build --release --locked -p idp \
    && install -D --mode=0755 target/release/idp /image/idp \
    && install --directory --mode=0700 /image/data

# The C library and the certificates of public authorities; no shell and no package manager.
FROM gcr.io/distroless/cc-debian13:nonroot
LABEL org.opencontainers.image.title="AgentIdP" \
      org.opencontainers.image.description="An identity provider for AI agents" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /image/idp /idp
# Where nothing else is mounted the program can still write here, and nowhere else.
COPY --from=build --chown=65532:65532 /image/data /data
ENV IDP_LISTEN=0.0.0.0 \
    IDP_DATA_DIR=/data
# By number, so that an orchestrator can see that it is not root.
USER 65532:65532
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["/idp", "health"]
ENTRYPOINT ["/idp"]
CMD ["serve"]
