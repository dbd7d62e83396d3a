// A file system that passes every call through to a directory and writes down what changes files, names and durability, in
// the one order in which it happened.
//
//   recorder DIRECTORY MOUNT RECORD SYNC_DELAY_MICROS
//
// Stays in the foreground; SIGTERM unmounts. Every change is made and written down under one lock, so that the record is a
// total order. A sync takes the given time between its two entries: what is written meanwhile is not covered by it, as on
// a disk. Nothing is really synced: the record, not DIRECTORY, says what a power loss leaves.
//
// An entry is a head of 64 bytes, little endian, then both paths, then the data, without padding:
//   0 u32 kind, 4 u32 bytes of the first path, 8 u32 bytes of the second path, 12 u32 flags, 16 u64 bytes of data,
//   24 u64 microseconds since 1970, 32 u64 handle, 40 u64 position, 48 u64 size, 56 u64 number of the entry
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind {
  KIND_OPEN = 1,
  KIND_CREATE = 2,
  KIND_WRITE = 3,
  KIND_TRUNCATE = 4,
  KIND_ALLOCATE = 5,
  KIND_RENAME = 6,
  KIND_UNLINK = 7,
  KIND_MKDIR = 8,
  KIND_RMDIR = 9,
  KIND_SYNC_BEGIN = 10,
  KIND_SYNC_END = 11,
  KIND_OPEN_DIRECTORY = 12,
  KIND_LINK = 13,
  KIND_OTHER = 14,
};

struct entry {
  uint32_t kind, path_bytes, second_path_bytes, flags;
  uint64_t data_bytes, micros, handle, position, size, number;
};

static int root_fd, record_fd, sync_delay_micros;
static uint64_t entries_count, handles_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/** What is open: its descriptor, and the number that the record knows it by. */
struct handle {
  int fd;
  DIR *directory;
  uint64_t number;
};

static struct handle *handle_of(struct fuse_file_info *info) { return (struct handle *)(uintptr_t)info->fh; }

/** A path below DIRECTORY, as the calls with a directory's descriptor take it. */
static const char *below(const char *path) { return path[1] == 0 ? "." : path + 1; }

/** The lock is held. A record that cannot be written is worth nothing, so the program ends. */
static void note(struct entry entry, const char *path, const char *second_path, const void *data) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  entry.micros = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
  entry.number = entries_count++;
  entry.path_bytes = path ? strlen(path) : 0;
  entry.second_path_bytes = second_path ? strlen(second_path) : 0;
  struct iovec parts[] = {
      {&entry, sizeof entry},
      {(void *)path, entry.path_bytes},
      {(void *)second_path, entry.second_path_bytes},
      {(void *)data, entry.data_bytes},
  };
  ssize_t whole = sizeof entry + entry.path_bytes + entry.second_path_bytes + entry.data_bytes;
  if (writev(record_fd, parts, 4) != whole) abort();
}

/** Runs `call` and, if it did not fail, notes it; both under the lock. Returns 0 or -errno. */
#define CHANGE(call, ...)                              \
  do {                                                 \
    pthread_mutex_lock(&lock);                         \
    int result_ = (call) == -1 ? -errno : 0;           \
    if (result_ == 0) note(__VA_ARGS__);               \
    pthread_mutex_unlock(&lock);                       \
    return result_;                                    \
  } while (0)

static void *start(struct fuse_conn_info *connection, struct fuse_config *config) {
  // Opening with O_TRUNC arrives as a truncation, and data arrive as plain memory.
  connection->want &= ~(FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
                        FUSE_CAP_WRITEBACK_CACHE);
  config->use_ino = 1;
  config->nullpath_ok = 1;
  config->hard_remove = 1;
  // Nothing else changes DIRECTORY.
  config->entry_timeout = config->attr_timeout = 3600;
  config->negative_timeout = 0;
  return NULL;
}

static int get_attributes(const char *path, struct stat *target, struct fuse_file_info *info) {
  if (info) return fstat(handle_of(info)->fd, target) == -1 ? -errno : 0;
  return fstatat(root_fd, below(path), target, AT_SYMLINK_NOFOLLOW) == -1 ? -errno : 0;
}

static int open_with(const char *path, struct fuse_file_info *info, enum kind kind, mode_t mode) {
  struct handle *handle = calloc(1, sizeof *handle);
  if (!handle) return -ENOMEM;
  int flags = info->flags & ~(O_APPEND | O_TRUNC);
  // The kernel reads a page before it writes a part of it.
  if ((flags & O_ACCMODE) == O_WRONLY) flags = (flags & ~O_ACCMODE) | O_RDWR;
  pthread_mutex_lock(&lock);
  handle->fd = openat(root_fd, below(path), flags, mode);
  int result = handle->fd == -1 ? -errno : 0;
  if (result == 0) {
    handle->number = ++handles_count;
    note((struct entry){.kind = kind, .handle = handle->number}, path, NULL, NULL);
    info->fh = (uintptr_t)handle;
  } else {
    free(handle);
  }
  pthread_mutex_unlock(&lock);
  return result;
}

static int open_file(const char *path, struct fuse_file_info *info) { return open_with(path, info, KIND_OPEN, 0); }

static int create_file(const char *path, mode_t mode, struct fuse_file_info *info) {
  info->flags |= O_CREAT;
  return open_with(path, info, KIND_CREATE, mode);
}

static int read_file(const char *path, char *target, size_t size, off_t position, struct fuse_file_info *info) {
  (void)path;
  ssize_t count = pread(handle_of(info)->fd, target, size, position);
  return count == -1 ? -errno : (int)count;
}

static int write_file(const char *path, const char *data, size_t size, off_t position, struct fuse_file_info *info) {
  (void)path;
  struct handle *handle = handle_of(info);
  pthread_mutex_lock(&lock);
  ssize_t count = pwrite(handle->fd, data, size, position);
  int result = count == -1 ? -errno : (int)count;
  if (count > 0) {
    struct entry entry = {.kind = KIND_WRITE, .handle = handle->number, .position = position, .data_bytes = count};
    note(entry, NULL, NULL, data);
  }
  pthread_mutex_unlock(&lock);
  return result;
}

static int truncate_file(const char *path, off_t size, struct fuse_file_info *info) {
  if (info) {
    struct handle *handle = handle_of(info);
    CHANGE(ftruncate(handle->fd, size),
           (struct entry){.kind = KIND_TRUNCATE, .handle = handle->number, .size = size}, NULL, NULL, NULL);
  }
  int fd = openat(root_fd, below(path), O_RDWR);
  if (fd == -1) return -errno;
  pthread_mutex_lock(&lock);
  int result = ftruncate(fd, size) == -1 ? -errno : 0;
  if (result == 0) note((struct entry){.kind = KIND_TRUNCATE, .size = size}, path, NULL, NULL);
  pthread_mutex_unlock(&lock);
  close(fd);
  return result;
}

static int allocate(const char *path, int mode, off_t position, off_t size, struct fuse_file_info *info) {
  (void)path;
  struct handle *handle = handle_of(info);
  struct entry entry = {
      .kind = KIND_ALLOCATE, .handle = handle->number, .position = position, .size = size, .flags = mode};
  CHANGE(fallocate(handle->fd, mode, position, size), entry, NULL, NULL, NULL);
}

static int rename_path(const char *from, const char *to, unsigned int flags) {
  if (flags & ~RENAME_NOREPLACE) return -EINVAL;
  CHANGE(renameat2(root_fd, below(from), root_fd, below(to), flags), (struct entry){.kind = KIND_RENAME}, from, to, NULL);
}

static int unlink_file(const char *path) {
  CHANGE(unlinkat(root_fd, below(path), 0), (struct entry){.kind = KIND_UNLINK}, path, NULL, NULL);
}

static int make_directory(const char *path, mode_t mode) {
  CHANGE(mkdirat(root_fd, below(path), mode), (struct entry){.kind = KIND_MKDIR}, path, NULL, NULL);
}

static int remove_directory(const char *path) {
  CHANGE(unlinkat(root_fd, below(path), AT_REMOVEDIR), (struct entry){.kind = KIND_RMDIR}, path, NULL, NULL);
}

static int link_file(const char *from, const char *to) {
  CHANGE(linkat(root_fd, below(from), root_fd, below(to), 0), (struct entry){.kind = KIND_LINK}, from, to, NULL);
}

/** Sockets and pipes: they have no content that a power loss could leave. */
static int make_node(const char *path, mode_t mode, dev_t device) {
  enum kind kind = S_ISREG(mode) ? KIND_CREATE : KIND_OTHER;
  CHANGE(mknodat(root_fd, below(path), mode, device), (struct entry){.kind = kind}, path, NULL, NULL);
}

static int sync_handle(const char *path, int is_data_only, struct fuse_file_info *info) {
  (void)path;
  struct entry entry = {.kind = KIND_SYNC_BEGIN, .handle = handle_of(info)->number, .flags = is_data_only};
  pthread_mutex_lock(&lock);
  entry.position = entries_count;
  note(entry, NULL, NULL, NULL);
  pthread_mutex_unlock(&lock);
  if (sync_delay_micros > 0) usleep(sync_delay_micros);
  entry.kind = KIND_SYNC_END;
  pthread_mutex_lock(&lock);
  note(entry, NULL, NULL, NULL);
  pthread_mutex_unlock(&lock);
  return 0;
}

static int release_file(const char *path, struct fuse_file_info *info) {
  (void)path;
  struct handle *handle = handle_of(info);
  if (handle->directory) closedir(handle->directory);
  else close(handle->fd);
  free(handle);
  return 0;
}

static int open_directory(const char *path, struct fuse_file_info *info) {
  struct handle *handle = calloc(1, sizeof *handle);
  if (!handle) return -ENOMEM;
  pthread_mutex_lock(&lock);
  handle->fd = openat(root_fd, below(path), O_RDONLY | O_DIRECTORY);
  handle->directory = handle->fd == -1 ? NULL : fdopendir(handle->fd);
  int result = handle->directory ? 0 : -errno;
  if (result == 0) {
    handle->number = ++handles_count;
    note((struct entry){.kind = KIND_OPEN_DIRECTORY, .handle = handle->number}, path, NULL, NULL);
    info->fh = (uintptr_t)handle;
  } else {
    free(handle);
  }
  pthread_mutex_unlock(&lock);
  return result;
}

static int read_directory(const char *path, void *target, fuse_fill_dir_t fill, off_t position,
                          struct fuse_file_info *info, enum fuse_readdir_flags flags) {
  (void)path, (void)position, (void)flags;
  struct handle *handle = handle_of(info);
  rewinddir(handle->directory);
  for (struct dirent *item; (item = readdir(handle->directory));) {
    struct stat attributes = {.st_ino = item->d_ino, .st_mode = DTTOIF(item->d_type)};
    if (fill(target, item->d_name, &attributes, 0, 0)) break;
  }
  return 0;
}

static int change_mode(const char *path, mode_t mode, struct fuse_file_info *info) {
  (void)info;
  return fchmodat(root_fd, below(path), mode, 0) == -1 ? -errno : 0;
}

static int change_owner(const char *path, uid_t user, gid_t group, struct fuse_file_info *info) {
  (void)info;
  return fchownat(root_fd, below(path), user, group, AT_SYMLINK_NOFOLLOW) == -1 ? -errno : 0;
}

static int change_times(const char *path, const struct timespec times[2], struct fuse_file_info *info) {
  if (info) return futimens(handle_of(info)->fd, times) == -1 ? -errno : 0;
  return utimensat(root_fd, below(path), times, AT_SYMLINK_NOFOLLOW) == -1 ? -errno : 0;
}

static int file_system(const char *path, struct statvfs *target) {
  (void)path;
  return fstatvfs(root_fd, target) == -1 ? -errno : 0;
}

static const struct fuse_operations operations = {
    .init = start,
    .getattr = get_attributes,
    .open = open_file,
    .create = create_file,
    .read = read_file,
    .write = write_file,
    .truncate = truncate_file,
    .fallocate = allocate,
    .rename = rename_path,
    .unlink = unlink_file,
    .mkdir = make_directory,
    .rmdir = remove_directory,
    .link = link_file,
    .mknod = make_node,
    .fsync = sync_handle,
    .fsyncdir = sync_handle,
    .release = release_file,
    .releasedir = release_file,
    .opendir = open_directory,
    .readdir = read_directory,
    .chmod = change_mode,
    .chown = change_owner,
    .utimens = change_times,
    .statfs = file_system,
};

int main(int count, char **words) {
  if (count != 5) return 2;
  root_fd = open(words[1], O_RDONLY | O_DIRECTORY);
  record_fd = open(words[3], O_WRONLY | O_CREAT | O_TRUNC, 0600);
  sync_delay_micros = atoi(words[4]);
  if (root_fd == -1 || record_fd == -1) {
    perror("recorder");
    return 1;
  }
  umask(0);
  char *arguments[] = {words[0], "-f", words[2], NULL};
  return fuse_main(3, arguments, &operations, NULL);
}
