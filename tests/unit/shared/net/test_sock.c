/* Goal: sockets come non-blocking, close-on-exec and without Nagle's delay, and
 * an error tells what is wrong. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sock.h"

#define WAIT_MS 5000

static bool has_no_ipv6;

/* In place of the C library's. */
int
socket(int domain, int type, int protocol)
{
	if (has_no_ipv6 && domain == AF_INET6) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return (int)syscall(SYS_socket, domain, type, protocol);
}

static void
bound_addr(int fd, struct sock_addr *addr)
{
	addr->len = sizeof(addr->un);
	assert_int_equal(getsockname(fd, &addr->sa, &addr->len), 0);
}

static void
assert_wait(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

static void
assert_opened_our_way(int fd, bool tcp)
{
	int nodelay = 0;
	socklen_t len = sizeof(nodelay);

	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	if (!tcp)
		return;
	assert_int_equal(
	    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len), 0);
	assert_int_equal(nodelay, 1);
}

static void
connect_through(const struct sock_addr *addr, int listener, bool tcp)
{
	struct sock_addr peer, self;
	int client = sock_connect(addr), server;

	assert_true(client >= 0);
	assert_wait(listener, POLLIN);
	server = sock_accept(listener, &peer);
	assert_true(server >= 0);
	assert_wait(client, POLLOUT);
	assert_int_equal(sock_error(client), 0);
	assert_opened_our_way(client, tcp);
	assert_opened_our_way(server, tcp);
	if (tcp) {
		bound_addr(client, &self);
		assert_true(sock_addr_equal(&self, &peer));
	}
	close(client);
	close(server);
}

static void
test_listen_connect_accept(void **state)
{
	static const char *const texts[] = {"127.0.0.1:0", "[::1]:0"};
	struct sock_addr addr, peer;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int fd;

		assert_int_equal(sock_addr_parse(&addr, texts[i]), 0);
		fd = sock_listen(&addr, 0);
		if (fd == -1 && errno == EADDRNOTAVAIL)
			continue; /* a machine without IPv6 */
		assert_true(fd >= 0);
		assert_opened_our_way(fd, true);
		assert_int_equal(sock_accept(fd, &peer), -1);
		assert_int_equal(errno, EAGAIN);
		bound_addr(fd, &addr);
		connect_through(&addr, fd, true);
		close(fd);
	}
}

static void
test_connect_from_an_address(void **state)
{
	struct sock_addr addr, source, peer;
	char text[SOCK_TEXT_MAX];
	int listener, client, server;

	(void)state;
	assert_int_equal(sock_addr_parse(&addr, "127.0.0.1:0"), 0);
	listener = sock_listen(&addr, 0);
	assert_true(listener >= 0);
	bound_addr(listener, &addr);
	assert_int_equal(sock_addr_from_host(&source, "127.0.0.9", 0), 0);
	client = sock_connect_from(&source, &addr);
	assert_true(client >= 0);
	assert_wait(client, POLLOUT);
	assert_int_equal(sock_error(client), 0);
	assert_opened_our_way(client, true);
	server = sock_accept(listener, &peer);
	assert_true(server >= 0);
	peer.in.sin_port = 0;
	assert_string_equal(sock_addr_str(&peer, text), "127.0.0.9:0");
	close(server);
	close(client);
	close(listener);
	assert_true(sock_is_local(&source));
	assert_int_equal(sock_addr_from_host(&source, "192.0.2.1", 0), 0);
	assert_int_equal(sock_connect_from(&source, &addr), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);
	assert_false(sock_is_local(&source));
}

static void
test_refused_is_an_error_on_the_socket(void **state)
{
	struct sock_addr addr;
	int fd;

	(void)state;
	assert_int_equal(sock_addr_parse(&addr, "127.0.0.1:0"), 0);
	fd = sock_listen(&addr, 0);
	assert_true(fd >= 0);
	bound_addr(fd, &addr);
	close(fd);
	fd = sock_connect(&addr);
	if (fd == -1) {
		assert_int_equal(errno, ECONNREFUSED);
		return;
	}
	assert_wait(fd, POLLOUT);
	assert_int_equal(sock_error(fd), ECONNREFUSED);
	close(fd);
}

static void
test_one_listener_or_a_group(void **state)
{
	struct sock_addr addr;
	int first, second;

	(void)state;
	assert_int_equal(sock_addr_parse(&addr, "127.0.0.1:0"), 0);
	first = sock_listen(&addr, SOCK_LISTEN_REUSEPORT);
	assert_true(first >= 0);
	bound_addr(first, &addr);
	second = sock_listen(&addr, SOCK_LISTEN_REUSEPORT);
	assert_true(second >= 0);
	close(second);
	errno = 0;
	assert_int_equal(sock_listen(&addr, 0), -1);
	assert_int_equal(errno, EADDRINUSE);
	close(first);
	first = sock_listen(&addr, 0);
	assert_true(first >= 0);
	errno = 0;
	assert_int_equal(sock_listen(&addr, SOCK_LISTEN_REUSEPORT), -1);
	assert_int_equal(errno, EADDRINUSE);
	close(first);
}

/* The text of the peer of a connection through fd; host: the side to connect
 * to. "": refused. */
static void
peer_through(int fd, const char *host, char text[SOCK_TEXT_MAX])
{
	struct sock_addr bound, addr, peer;
	int client, server = -1;
	struct sock_host peer_host;

	text[0] = '\0';
	bound_addr(fd, &bound);
	assert_int_equal(
	    sock_addr_from_host(&addr, host, sock_addr_port(&bound)), 0);
	client = sock_connect(&addr);
	if (client == -1)
		return;
	assert_wait(client, POLLOUT);
	if (sock_error(client) == 0) {
		assert_wait(fd, POLLIN);
		server = sock_accept(fd, &peer);
		assert_true(server >= 0);
		peer_host = sock_host_of(&peer);
		sock_host_str(&peer_host, text);
		assert_int_not_equal(sock_addr_port(&peer), 0);
		close(server);
	}
	close(client);
}

static void
assert_peer(int fd, const char *host, const char *want)
{
	char text[SOCK_TEXT_MAX];

	peer_through(fd, host, text);
	assert_string_equal(text, want);
}

static void
assert_peers(int fd, const char *v4, const char *v6)
{
	assert_peer(fd, "127.0.0.1", v4);
	assert_peer(fd, "::1", v6);
}

static void
a_dual_listener_takes_both_families(void **state)
{
	unsigned group = SOCK_LISTEN_DUAL | SOCK_LISTEN_REUSEPORT;
	struct sock_addr every, v6;
	int fd, second;

	(void)state;
	assert_int_equal(sock_addr_parse(&v6, "[::1]:0"), 0);
	fd = sock_listen(&v6, 0);
	if (fd == -1)
		skip(); /* a machine without IPv6 */
	close(fd);
	assert_int_equal(sock_addr_parse(&every, "*:0"), 0);
	fd = sock_listen(&every, SOCK_LISTEN_DUAL);
	assert_true(fd >= 0);
	assert_opened_our_way(fd, true);
	/* A client of IPv4 has an address of IPv4. */
	assert_peers(fd, "127.0.0.1", "::1");
	close(fd);
	/* A group of such listeners shares a port. */
	fd = sock_listen(&every, group);
	assert_true(fd >= 0);
	bound_addr(fd, &v6);
	every.in.sin_port = v6.in6.sin6_port;
	second = sock_listen(&every, group);
	assert_true(second >= 0);
	close(second);
	close(fd);
}

static void
without_ipv6_a_dual_listener_takes_ipv4(void **state)
{
	struct sock_addr every;
	int fd;

	(void)state;
	assert_int_equal(sock_addr_parse(&every, "*:0"), 0);
	has_no_ipv6 = true;
	fd = sock_listen(&every, SOCK_LISTEN_DUAL);
	has_no_ipv6 = false;
	assert_true(fd >= 0);
	assert_peer(fd, "127.0.0.1", "127.0.0.1");
	close(fd);
}

static void
a_wildcard_of_one_family_takes_that_family(void **state)
{
	struct sock_addr v4, v6;
	int fd, other;

	(void)state;
	assert_int_equal(sock_addr_parse(&v4, "0.0.0.0:0"), 0);
	assert_int_equal(sock_addr_parse(&v6, "[::]:0"), 0);
	other = sock_listen(&v6, 0);
	if (other == -1)
		skip(); /* a machine without IPv6 */
	assert_peers(other, "", "::1");
	/* Both at one port. */
	bound_addr(other, &v6);
	v4.in.sin_port = v6.in6.sin6_port;
	fd = sock_listen(&v4, 0);
	assert_true(fd >= 0);
	assert_peer(other, "::1", "::1");
	assert_peer(fd, "127.0.0.1", "127.0.0.1");
	close(other);
	assert_peers(fd, "127.0.0.1", "");
	close(fd);
}

static void
test_unix_sockets(void **state)
{
	char dir[] = "/tmp/test_sock.XXXXXX", text[64];
	struct sock_addr addr;
	struct stat st;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(text, sizeof(text), "unix:%s/s", dir);
	assert_int_equal(sock_addr_parse(&addr, text), 0);
	fd = sock_listen(&addr, SOCK_LISTEN_REUSEPORT);
	assert_true(fd >= 0);
	connect_through(&addr, fd, false);
	/* Somebody listens: hands off. */
	errno = 0;
	assert_int_equal(sock_listen(&addr, 0), -1);
	assert_int_equal(errno, EADDRINUSE);
	connect_through(&addr, fd, false);
	close(fd);
	/* No process listens: the stale file is removed. */
	assert_int_equal(stat(addr.un.sun_path, &st), 0);
	fd = sock_listen(&addr, 0);
	assert_true(fd >= 0);
	connect_through(&addr, fd, false);
	close(fd);
	assert_int_equal(unlink(addr.un.sun_path), 0);
	/* A file of somebody else's is never taken away. */
	fd = open(addr.un.sun_path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(sock_listen(&addr, 0), -1);
	assert_int_equal(stat(addr.un.sun_path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(unlink(addr.un.sun_path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* The kernel says EADDRNOTAVAIL, as for ports that have run out. */
static void
without_a_local_address_the_network_is_unreachable(void **state)
{
	struct sock_addr addr;
	int status;
	pid_t child;

	(void)state;
	assert_int_equal(sock_addr_parse(&addr, "[2001:db8::1]:80"), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		if (unshare(CLONE_NEWNET) == -1)
			_exit(77);
		_exit(
		    sock_connect(&addr) == -1 && errno == ENETUNREACH ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* no right to make a network namespace */
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_listen_connect_accept),
	    cmocka_unit_test(test_connect_from_an_address),
	    cmocka_unit_test(test_refused_is_an_error_on_the_socket),
	    cmocka_unit_test(test_one_listener_or_a_group),
	    cmocka_unit_test(a_dual_listener_takes_both_families),
	    cmocka_unit_test(without_ipv6_a_dual_listener_takes_ipv4),
	    cmocka_unit_test(a_wildcard_of_one_family_takes_that_family),
	    cmocka_unit_test(
		without_a_local_address_the_network_is_unreachable),
	    cmocka_unit_test(test_unix_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
