#include "privileges.h"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static void
give_away(const struct config *config, const struct passwd *pw,
    const char *const *files)
{
	int dir = open(config->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (dir == -1 || fstat(dir, &st) == -1)
		goto failed;
	for (; *files != NULL; files++)
		if (fchownat(dir, *files, pw->pw_uid, pw->pw_gid,
			AT_SYMLINK_NOFOLLOW) == -1 &&
		    errno != ENOENT)
			goto failed;
	/* A directory like /tmp belongs to everybody and keeps its owner. */
	if ((st.st_mode & S_ISVTX) == 0 &&
	    fchown(dir, pw->pw_uid, pw->pw_gid) == -1)
		goto failed;
	close(dir);
	return;
failed:
	fatal("%s:%u: state_dir: can't give %s to %s: %s", config->path,
	    config->lines.state_dir, config->state_dir, pw->pw_name,
	    strerror(errno));
}

static void
become(const struct config *config, const char *const *files)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(config->user);
	if (pw == NULL)
		fatal("%s:%u: user: no such user: %s", config->path,
		    config->lines.user, config->user);
	if (pw->pw_uid == 0)
		return;
	give_away(config, pw, files);
	if (setgroups(0, NULL) == -1 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) == -1 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) == -1)
		fatal("%s:%u: user: can't become %s: %s", config->path,
		    config->lines.user, config->user, strerror(errno));
	/* The change of user cleared the flag; a crash shall leave a core. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

bool
privileges_is_user(const char *user)
{
	return getpwnam(user) != NULL;
}

static bool
is_me(const char *user)
{
	const struct passwd *pw = getpwnam(user);

	return pw != NULL && pw->pw_uid == geteuid();
}

void
privileges_drop(const struct config *config, const char *const *files)
{
	if (config->user != NULL && geteuid() == 0)
		become(config, files);
	else if (config->user != NULL && !is_me(config->user))
		log_warn("%s: user: not root, so can't become %s: staying "
			 "uid %u",
		    config->path, config->user, (unsigned)geteuid());
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("can't give up gaining privileges: %s", strerror(errno));
}
