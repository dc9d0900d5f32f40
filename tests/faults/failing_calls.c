/* Fails calls of the system by order of a test: the n-th one of a kind, and so many after it.

   It is loaded in front of libc (LD_PRELOAD), and counts only calls on files beneath one folder. The
   test and the process share the order and the counts, in a file that both have mapped.

   It can also keep a journal of what changes these files, in the order in which it happened: from it
   a test makes the files as a loss of power may leave them. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE, SYNC, OPEN, RENAME, TRUNCATE, READ, UNLINK, ALLOCATE, KINDS };

struct order {
    int32_t kind;     /* which calls fail; -1 for none */
    int32_t error;    /* the errno that they fail with; 0 for a write that is cut short */
    int32_t from;     /* the first that fails, counted from 1 */
    int32_t times;    /* how many fail from there on */
    int32_t failed;   /* how many have failed */
    int32_t seen[KINDS];
};

static struct order *order;
static char folder[PATH_MAX];
static size_t folder_length;
static int journal = -1;

/* What stands in the journal before the path and the data. */
struct change {
    int32_t kind;
    int32_t path_size;
    int64_t at;    /* where a write begins, or the size that a file is cut to */
    int64_t size;  /* of the data; of a rename, of the new path */
};

/* Read the environment: as the library is loaded, and again in a fork that got its own. */
__attribute__((constructor)) void begin(void) {
    const char *shared = getenv("FAULT_ORDER"), *beneath = getenv("FAULT_FOLDER");
    if (!shared || !beneath || !realpath(beneath, folder)) return;
    folder_length = strlen(folder);
    int descriptor = (int)open(shared, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return;
    void *mapped = mmap(NULL, sizeof *order, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (mapped != MAP_FAILED) order = mapped;
    const char *kept = getenv("FAULT_JOURNAL");
    if (kept) journal = (int)open(kept, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void note_path(int kind, const char *path, int64_t at, const void *data, size_t size) {
    struct change change = {kind, (int32_t)strlen(path), at, (int64_t)size};
    struct iovec parts[] = {{&change, sizeof change},
                            {(void *)path, strlen(path)},
                            {(void *)data, size}};
    ssize_t noted = writev(journal, parts, 3);
    if (noted < 0) abort();
}

/* Note a change of a file in the journal, if there is one. */
static void note(int kind, int descriptor, int64_t at, const void *data, size_t size) {
    char link[64], path[PATH_MAX];
    if (journal < 0) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return;
    path[length] = 0;
    note_path(kind, path, at, data, size);
}

static int is_beneath(const char *path) {
    return !strncmp(path, folder, folder_length) && (path[folder_length] == '/' || !path[folder_length]);
}

static int is_watched_path(const char *path) {
    char whole[PATH_MAX];
    if (!order || !path) return 0;
    if (path[0] == '/') return is_beneath(path);
    return getcwd(whole, sizeof whole) && is_beneath(whole);
}

static int is_watched(int descriptor) {
    char link[64], path[PATH_MAX];
    if (!order) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_beneath(path);
}

/* Count a call; whether it is to fail. */
static int fails(enum kind kind) {
    int number = __atomic_add_fetch(&order->seen[kind], 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&order->kind, __ATOMIC_SEQ_CST) != (int)kind) return 0;
    if (number < order->from || number - order->from >= order->times) return 0;
    __atomic_add_fetch(&order->failed, 1, __ATOMIC_SEQ_CST);
    errno = order->error;
    return 1;
}

/* Where SQLite's code lies, whose allocations may fail; nowhere if it is no library of its own. */
static uintptr_t sqlite_begins, sqlite_ends;

static int find_sqlite(struct dl_phdr_info *library, size_t size, void *unused) {
    (void)size, (void)unused;
    if (!strstr(library->dlpi_name, "libsqlite3")) return 0;
    for (int i = 0; i < library->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &library->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || !(part->p_flags & PF_X)) continue;
        sqlite_begins = library->dlpi_addr + part->p_vaddr;
        sqlite_ends = sqlite_begins + part->p_memsz;
    }
    return 1;
}

/* Count an allocation of SQLite's; whether it is to fail. */
static int allocation_fails(const void *caller) {
    if (!order || __atomic_load_n(&order->kind, __ATOMIC_SEQ_CST) != ALLOCATE) return 0;
    if (!sqlite_begins) dl_iterate_phdr(find_sqlite, NULL);
    if ((uintptr_t)caller < sqlite_begins || (uintptr_t)caller >= sqlite_ends) return 0;
    return fails(ALLOCATE);
}

extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size) {
    return allocation_fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *realloc(void *memory, size_t size) {
    return allocation_fails(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define WRITES(name, parameters, place, cut, whole)                                              \
    ssize_t name parameters {                                                                    \
        static __typeof__(&name) real;                                                           \
        if (!real) real = REAL(name);                                                            \
        if (!is_watched(descriptor)) return real whole;                                          \
        if (fails(WRITE)) return order->error ? -1 : real cut;                                   \
        int64_t begins = journal < 0 ? 0 : place;                                                \
        ssize_t written = real whole;                                                            \
        if (written > 0) note(WRITE, descriptor, begins, data, (size_t)written);                 \
        return written;                                                                          \
    }

static int64_t place_of(int descriptor) {
    return lseek(descriptor, 0, fcntl(descriptor, F_GETFL) & O_APPEND ? SEEK_END : SEEK_CUR);
}

WRITES(write, (int descriptor, const void *data, size_t size), place_of(descriptor),
       (descriptor, data, size / 2), (descriptor, data, size))
WRITES(pwrite, (int descriptor, const void *data, size_t size, off_t at), at,
       (descriptor, data, size / 2, at), (descriptor, data, size, at))
WRITES(pwrite64, (int descriptor, const void *data, size_t size, off64_t at), at,
       (descriptor, data, size / 2, at), (descriptor, data, size, at))

#define READS(name, offset)                                                                      \
    ssize_t name(int descriptor, void *data, size_t size, offset at) {                           \
        static __typeof__(&name) real;                                                           \
        if (!real) real = REAL(name);                                                            \
        if (is_watched(descriptor) && fails(READ)) return -1;                                    \
        return real(descriptor, data, size, at);                                                 \
    }

READS(pread, off_t)
READS(pread64, off64_t)

#define ON_DESCRIPTOR(name, kind, parameters, size, arguments)                                   \
    int name parameters {                                                                        \
        static __typeof__(&name) real;                                                           \
        if (!real) real = REAL(name);                                                            \
        if (!is_watched(descriptor)) return real arguments;                                      \
        if (fails(kind)) return -1;                                                              \
        int done = real arguments;                                                               \
        if (!done) note(kind, descriptor, size, "", 0);                                          \
        return done;                                                                             \
    }

ON_DESCRIPTOR(fsync, SYNC, (int descriptor), 0, (descriptor))
ON_DESCRIPTOR(fdatasync, SYNC, (int descriptor), 0, (descriptor))
ON_DESCRIPTOR(ftruncate, TRUNCATE, (int descriptor, off_t size), size, (descriptor, size))
ON_DESCRIPTOR(ftruncate64, TRUNCATE, (int descriptor, off64_t size), size, (descriptor, size))

int rename(const char *before, const char *after) {
    static __typeof__(&rename) real;
    if (!real) real = REAL(rename);
    if (!is_watched_path(after)) return real(before, after);
    if (fails(RENAME)) return -1;
    int done = real(before, after);
    if (!done && journal >= 0) note_path(RENAME, before, 0, after, strlen(after));
    return done;
}

int unlink(const char *path) {
    static __typeof__(&unlink) real;
    if (!real) real = REAL(unlink);
    if (!is_watched_path(path)) return real(path);
    if (fails(UNLINK)) return -1;
    int done = real(path);
    if (!done && journal >= 0) note_path(UNLINK, path, 0, "", 0);
    return done;
}

#define OPENS(name, head, call)                                                                  \
    int name head {                                                                              \
        static int (*real)();                                                                    \
        if (!real) real = (int (*)())dlsym(RTLD_NEXT, #name);                                    \
        mode_t mode = 0;                                                                         \
        if (flags & (O_CREAT | __O_TMPFILE)) {                                                   \
            va_list rest;                                                                        \
            va_start(rest, flags);                                                               \
            mode = va_arg(rest, mode_t);                                                         \
            va_end(rest);                                                                        \
        }                                                                                        \
        if (is_watched_path(path) && fails(OPEN)) return -1;                                     \
        return real call;                                                                        \
    }

OPENS(open, (const char *path, int flags, ...), (path, flags, mode))
OPENS(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENS(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode))
OPENS(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode))
