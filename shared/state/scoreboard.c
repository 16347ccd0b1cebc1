#include "scoreboard.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "hash.h"

/* "drover" and the layout's number. Raise the number when the structs change in
 * a way that their size does not show. */
#define MAGIC UINT64_C(0x64726f7665720005)

struct shape {
	const char *instance;
	uint32_t slots;
	uint32_t services;
	uint32_t series;
	uint64_t names;
	size_t bytes;
};

static size_t
bytes_for(unsigned slots, size_t series)
{
	return sizeof(struct scoreboard) +
	       slots * (sizeof(struct scoreboard_slot) +
			   series * SCOREBOARD_CODE_COUNT *
			       sizeof(struct duration_histogram));
}

static struct scoreboard *
map(int fd, size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p != MAP_FAILED ? p : NULL;
}

static bool
fits(const struct scoreboard *sb, const struct shape *shape)
{
	return sb->magic == MAGIC && sb->bytes == shape->bytes &&
	       sb->slot_count == shape->slots &&
	       sb->service_count == shape->services &&
	       sb->series_count == shape->series && sb->names == shape->names &&
	       memchr(sb->incarnation, '\0', sizeof(sb->incarnation)) != NULL &&
	       strncmp(sb->instance, shape->instance, sizeof(sb->instance)) ==
		   0;
}

/* The workers of a killed master drain for a while, write, and hold the lock.
 * Until then the file can't be taken over. */
static struct scoreboard *
take_over(const char *path, const struct shape *shape)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct scoreboard *sb = NULL;
	struct stat st;

	if (fd == -1)
		return NULL;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode) && (uint64_t)st.st_size == shape->bytes)
		sb = map(fd, shape->bytes);
	if (sb != NULL && fits(sb, shape)) {
		sb->lock_fd = fd;
		return sb;
	}
	if (sb != NULL)
		munmap(sb, shape->bytes);
	close(fd);
	return NULL;
}

static int
draw_incarnation(struct scoreboard *sb)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -1;
	snprintf(sb->incarnation, sizeof(sb->incarnation), "%016llx",
	    (unsigned long long)random);
	return 0;
}

static struct scoreboard *
fill(int fd, const struct shape *shape)
{
	struct scoreboard *sb;
	/* Takes the space now: a full disk would be a SIGBUS later. */
	int error = posix_fallocate(fd, 0, (off_t)shape->bytes);

	if (error != 0) {
		errno = error;
		return NULL;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == -1)
		return NULL;
	sb = map(fd, shape->bytes);
	if (sb == NULL || draw_incarnation(sb) == -1)
		return NULL;
	sb->magic = MAGIC;
	sb->bytes = shape->bytes;
	snprintf(sb->instance, sizeof(sb->instance), "%s", shape->instance);
	sb->slot_count = shape->slots;
	sb->service_count = shape->services;
	sb->series_count = shape->series;
	sb->names = shape->names;
	sb->lock_fd = fd;
	return sb;
}

static struct scoreboard *
create(const char *path, const struct shape *shape)
{
	struct scoreboard *sb;
	char temp[PATH_MAX];
	int fd, saved;

	if ((size_t)snprintf(temp, sizeof(temp), "%s.new", path) >=
	    sizeof(temp)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	unlink(temp);
	fd = open(temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return NULL;
	sb = fill(fd, shape);
	if (sb != NULL && rename(temp, path) == 0)
		return sb;
	saved = errno;
	unlink(temp);
	close(fd);
	errno = saved;
	return NULL;
}

static void
zero_gauges(struct scoreboard_slot *slot)
{
	atomic_store(&slot->busy_since_ns, 0);
	atomic_store(&slot->heartbeat_ns, 0);
	atomic_store(&slot->redis, REDIS_STATE_NONE);
	atomic_store(&slot->activity_len, 0);
	atomic_store(&slot->connections, 0);
	atomic_store(&slot->in_flight, 0);
	atomic_store(&slot->rss_bytes, 0);
	atomic_store(&slot->buffers, 0);
	for (size_t i = 0; i < CONFIG_SERVICES_MAX; i++)
		atomic_store(&slot->service_in_flight[i], 0);
	for (size_t i = 0; i < SCOREBOARD_ENDPOINTS; i++)
		atomic_store(&slot->endpoint_in_flight[i], 0);
}

/* Gauges and host tables described the former master's processes and host. */
static void
forget_predecessor(struct scoreboard *sb)
{
	for (uint32_t i = 0; i < sb->slot_count; i++) {
		zero_gauges(&sb->slots[i]);
		atomic_store(&sb->slots[i].pid, 0);
		atomic_store(&sb->slots[i].state, SLOT_EMPTY);
	}
	atomic_store(&sb->redis_degraded, 0);
	for (size_t i = 0; i < CONFIG_SERVICES_MAX; i++)
		atomic_store(&sb->breakers[i], 0);
	for (size_t i = 0; i < SCOREBOARD_ENDPOINTS; i++)
		atomic_store(&sb->endpoints[i].key, 0);
	/* No worker has joined yet. */
	memset(sb->members, 0, sizeof(sb->members));
}

/* A hash of services and series in order, each text with its NUL. */
static uint64_t
hash_names(const struct config *config)
{
	uint64_t hash = HASH_START;

	for (size_t i = 0; i < config->service_count; i++)
		hash = hash_bytes(hash, config->services[i].name,
		    strlen(config->services[i].name) + 1);
	for (size_t i = 0; i < config->series_count; i++) {
		const struct config_series *s = &config->series[i];

		hash = hash_bytes(hash, s->path, strlen(s->path) + 1);
		hash = hash_bytes(hash, &s->service, sizeof(s->service));
	}
	return hash;
}

struct scoreboard *
scoreboard_open(const struct config *config, unsigned slots)
{
	struct shape shape = {
	    .instance = config->instance,
	    .slots = slots,
	    .services = (uint32_t)config->service_count,
	    .series = (uint32_t)config->series_count,
	    .names = hash_names(config),
	    .bytes = bytes_for(slots, config->series_count),
	};
	struct scoreboard *sb;
	char path[PATH_MAX];

	if (strlen(config->instance) > CONFIG_NAME_MAX) {
		errno = EINVAL;
		return NULL;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s/scoreboard",
		config->state_dir) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	sb = take_over(path, &shape);
	if (sb == NULL)
		sb = create(path, &shape);
	if (sb == NULL)
		return NULL;
	forget_predecessor(sb);
	sb->started_ns = clock_ns();
	atomic_store(&sb->master_pid, getpid());
	return sb;
}

void
scoreboard_slot_take(struct scoreboard_slot *slot, pid_t pid)
{
	uint64_t now_ns = clock_ns();

	zero_gauges(slot);
	atomic_store(&slot->pid, pid);
	atomic_store(&slot->started_ns, now_ns);
	atomic_store(&slot->heartbeat_ns, now_ns);
	counter_add(&slot->generation, 1);
	atomic_store(&slot->state, SLOT_STARTING);
}

struct duration_histogram *
scoreboard_requests(const struct scoreboard *sb, unsigned slot)
{
	const struct scoreboard_slot *end = sb->slots + sb->slot_count;

	return (struct duration_histogram *)(uintptr_t)end +
	       (size_t)slot * sb->series_count * SCOREBOARD_CODE_COUNT;
}

uint32_t
scoreboard_endpoint_id(struct scoreboard *sb, uint64_t key)
{
	for (uint32_t probe = 0; probe < SCOREBOARD_ENDPOINTS; probe++) {
		uint32_t id = (uint32_t)((key + probe) % SCOREBOARD_ENDPOINTS);
		uint64_t found = 0;

		/* On failure, found is the key of a faster process: maybe the
		 * same key. */
		if (atomic_compare_exchange_strong(
			&sb->endpoints[id].key, &found, key) ||
		    found == key)
			return id;
	}
	return SCOREBOARD_NO_ENDPOINT;
}

uint32_t
scoreboard_endpoint_load(const struct scoreboard *sb, uint32_t id)
{
	uint32_t load = 0;

	for (uint32_t i = 0; i < sb->slot_count; i++)
		if (scoreboard_slot_is_live(&sb->slots[i]))
			load += atomic_load_explicit(
			    &sb->slots[i].endpoint_in_flight[id],
			    memory_order_relaxed);
	return load;
}

const char *
scoreboard_activity(
    const struct scoreboard_slot *slot, char buf[SCOREBOARD_ACTIVITY_MAX])
{
	uint32_t len =
	    atomic_load_explicit(&slot->activity_len, memory_order_acquire);

	/* The writer may be busy: the text can be mixed, never too long. */
	if (len > SCOREBOARD_ACTIVITY_MAX - 1)
		len = SCOREBOARD_ACTIVITY_MAX - 1;
	memcpy(buf, slot->activity, len);
	buf[len] = '\0';
	return buf;
}

uint64_t
scoreboard_busy_ns(const struct scoreboard_slot *slot, uint64_t now_ns)
{
	uint64_t since_ns =
	    atomic_load_explicit(&slot->busy_since_ns, memory_order_acquire);

	return since_ns != 0 && since_ns < now_ns ? now_ns - since_ns : 0;
}

bool
scoreboard_slot_is_live(const struct scoreboard_slot *slot)
{
	uint32_t state =
	    atomic_load_explicit(&slot->state, memory_order_relaxed);

	return state == SLOT_STARTING || state == SLOT_READY ||
	       state == SLOT_DRAINING;
}

uint64_t
scoreboard_sum(const struct scoreboard *sb, enum scoreboard_total total)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < sb->slot_count; i++)
		sum += atomic_load_explicit(
		    &sb->slots[i].totals[total], memory_order_relaxed);
	return sum;
}

uint64_t
scoreboard_service_sum(const struct scoreboard *sb, size_t service,
    enum scoreboard_service_total total)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < sb->slot_count; i++)
		sum += atomic_load(&sb->slots[i].services[service][total]);
	return sum;
}

const char *
scoreboard_code_str(enum scoreboard_code code)
{
	static const char *const names[] = {
	    [SCOREBOARD_CODE_1XX] = "1xx",
	    [SCOREBOARD_CODE_2XX] = "2xx",
	    [SCOREBOARD_CODE_3XX] = "3xx",
	    [SCOREBOARD_CODE_4XX] = "4xx",
	    [SCOREBOARD_CODE_5XX] = "5xx",
	    [SCOREBOARD_CODE_499] = "499",
	};

	return names[code];
}

static const struct {
	const char *name;
	const char *help;
} totals[] =
    {
#define X(symbol, name, help) {name, help},
	SCOREBOARD_TOTALS(X)
#undef X
},
  service_totals[] =
      {
#define X(symbol, name, help) {name, help},
	  SCOREBOARD_SERVICE_TOTALS(X)
#undef X
},
  waits[] = {
#define X(symbol, name, help) {name, help},
      SCOREBOARD_WAITS(X)
#undef X
};

const char *
scoreboard_total_str(enum scoreboard_total total)
{
	return totals[total].name;
}

const char *
scoreboard_total_help(enum scoreboard_total total)
{
	return totals[total].help;
}

const char *
scoreboard_service_total_str(enum scoreboard_service_total total)
{
	return service_totals[total].name;
}

const char *
scoreboard_service_total_help(enum scoreboard_service_total total)
{
	return service_totals[total].help;
}

const char *
scoreboard_wait_str(enum scoreboard_wait wait)
{
	return waits[wait].name;
}

const char *
scoreboard_wait_help(enum scoreboard_wait wait)
{
	return waits[wait].help;
}
