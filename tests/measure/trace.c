/*
 * trace - the calls of a process, for `scripts/measure borders`.
 *
 * Preloaded into a program compiled with -finstrument-functions. Each process
 * writes calls to the file TRACE_FOLDER/PID, mapped by the tool: a count, then
 * a word per call and per return. The word is the function's address, with the
 * highest bit set for a return. A full file takes no more words.
 */
#include <sys/mman.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WORDS (1 << 20)
#define RETURNED (UINT64_C(1) << 63)

void __cyg_profile_func_enter(void *function, void *caller);
void __cyg_profile_func_exit(void *function, void *caller);

static uint64_t *words;
static pid_t owner;

/* A child of fork() has the parent's file mapped until its first call. */
static void
open_file(void)
{
	const char *folder = getenv("TRACE_FOLDER");
	char path[4096];
	void *map;
	int fd;

	owner = getpid();
	words = NULL;
	if (folder == NULL)
		return;
	snprintf(path, sizeof(path), "%s/%d", folder, (int)owner);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1)
		return;
	map = ftruncate(fd, WORDS * sizeof(*words)) == -1
		  ? MAP_FAILED
		  : mmap(NULL, WORDS * sizeof(*words), PROT_READ | PROT_WRITE,
			MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		words = map;
}

static void
note(uint64_t word)
{
	if (owner != getpid())
		open_file();
	if (words == NULL || words[0] + 1 == WORDS)
		return;
	words[words[0] + 1] = word;
	words[0]++;
}

void
__cyg_profile_func_enter(void *function, void *caller)
{
	(void)caller;
	note((uintptr_t)function);
}

void
__cyg_profile_func_exit(void *function, void *caller)
{
	(void)caller;
	note((uintptr_t)function | RETURNED);
}
