#include "support/fault_vfs.hpp"

#include <atomic>

#include <sqlite3.h>

namespace actionhist::test {
namespace {

std::atomic<int> remaining{-1};  // operations until the fault; below zero: none is armed
std::atomic<int> fault_code{0};
std::atomic<bool> fault_met{false};

sqlite3_vfs* real_vfs = nullptr;

// SQLITE_OK, or the fault's code from its moment on.
int pass() {
  if (remaining < 0) return SQLITE_OK;
  if (remaining > 0 && --remaining > 0) return SQLITE_OK;
  fault_met = true;
  return fault_code;
}

// A file of ours, with the real one right behind it in memory.
struct File {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real_of(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

int close_file(sqlite3_file* file) { return real_of(file)->pMethods->xClose(real_of(file)); }
int read_file(sqlite3_file* file, void* data, int size, sqlite3_int64 at) {
  return real_of(file)->pMethods->xRead(real_of(file), data, size, at);
}

int write_file(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
  if (const int code = pass(); code != SQLITE_OK) return code;
  return real_of(file)->pMethods->xWrite(real_of(file), data, size, at);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  if (const int code = pass(); code != SQLITE_OK) return code;
  return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

int sync_file(sqlite3_file* file, int flags) {
  if (const int code = pass(); code != SQLITE_OK) return code;
  return real_of(file)->pMethods->xSync(real_of(file), flags);
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

int lock_file(sqlite3_file* file, int level) { return real_of(file)->pMethods->xLock(real_of(file), level); }
int unlock_file(sqlite3_file* file, int level) {
  return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

int check_lock(sqlite3_file* file, int* held) {
  return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}

int control_file(sqlite3_file* file, int op, void* argument) {
  return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}

int sector_size(sqlite3_file* file) { return real_of(file)->pMethods->xSectorSize(real_of(file)); }
int characteristics(sqlite3_file* file) {
  return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** data) {
  return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, data);
}

int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

void shared_barrier(sqlite3_file* file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }
int unmap_shared(sqlite3_file* file, int remove) {
  return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

const sqlite3_io_methods methods = {
    2,           close_file,     read_file,    write_file,   truncate_file, sync_file,       file_size,
    lock_file,   unlock_file,    check_lock,   control_file, sector_size,   characteristics, map_shared,
    lock_shared, shared_barrier, unmap_shared, nullptr,      nullptr};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  const int code = real_vfs->xOpen(real_vfs, name, real_of(file), flags, out_flags);
  if (code == SQLITE_OK) file->pMethods = &methods;
  return code;
}

sqlite3_vfs fault_vfs{};

}  // namespace

FaultVfs::FaultVfs() {
  real_vfs = sqlite3_vfs_find("unix");
  fault_vfs = *real_vfs;
  fault_vfs.zName = "actionhist-fault";
  fault_vfs.szOsFile = static_cast<int>(sizeof(File)) + real_vfs->szOsFile;
  fault_vfs.pNext = nullptr;
  fault_vfs.xOpen = open_file;
  sqlite3_vfs_register(&fault_vfs, 1);
}

FaultVfs::~FaultVfs() {
  heal();
  sqlite3_vfs_unregister(&fault_vfs);
  sqlite3_vfs_register(real_vfs, 1);
}

void FaultVfs::fail_at(int n, int code) {
  fault_code = code;
  fault_met = false;
  remaining = n;
}

void FaultVfs::heal() { remaining = -1; }

bool FaultVfs::met() const { return fault_met; }

}  // namespace actionhist::test
