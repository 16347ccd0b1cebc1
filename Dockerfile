# Drover: gateway, load balancer and demo service in one image; the
# configuration, an argument, makes the difference.

FROM debian:trixie-slim AS build
WORKDIR /drover
COPY scripts/setup scripts/
RUN scripts/setup --build
COPY Makefile ./
COPY scripts/make scripts/make
COPY shared shared
COPY master master
COPY worker worker
COPY scripts/train scripts/
COPY tests/bench/*.c tests/bench/*.h tests/bench/
RUN make -s -j"$(nproc)" release

FROM debian:trixie-slim
RUN apt-get update -qq \
	&& apt-get install -y -qq --no-install-recommends >/dev/null \
		curl libbsd0 libcares2 libhiredis1.1.0 libjansson4 \
		libllhttp9.2 libyaml-0-2 procps \
	&& rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt \
		/var/log/dpkg.log
COPY scripts/healthcheck /usr/local/bin/
COPY --from=build /drover/build/release/drover /usr/local/bin/
COPY conf /drover/conf
WORKDIR /drover
RUN install -d -o nobody -g nogroup /run/drover
USER nobody
ENV PORT=3000
EXPOSE 3000
HEALTHCHECK --interval=2s --timeout=2s --start-period=10s --retries=5 \
	CMD ["healthcheck"]
ENTRYPOINT ["drover"]
CMD ["-c", "conf/gateway.yaml"]
