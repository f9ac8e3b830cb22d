# A static binary on nothing else. Give it a signing key, which the development key cannot stand in for here:
#   docker run -p 8080:8080 -v "$PWD/muster.key:/key:ro" -e MUSTER_KEY_FILE=/key muster
# The key must belong to user 65532 and be readable by nobody else.
FROM golang:1.26-alpine AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# What logs, /v1/admin/nodes and muster --version call it: docker build --build-arg VERSION=v1.2.3 .
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w -X muster/cmd.release=$VERSION" -o /muster ./cmd/muster

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /muster /muster
USER 65532:65532
ENV MUSTER_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=4s --start-period=5s CMD ["/muster", "health"]
ENTRYPOINT ["/muster"]
CMD ["serve"]
