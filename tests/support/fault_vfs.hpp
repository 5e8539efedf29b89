// A file system for SQLite that fails when told to: the n-th write, sync or truncation from now, and all after
// it, return an error. Becomes SQLite's default while it lives.
#pragma once

namespace actionhist::test {

class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // The n-th operation that changes a file fails with `code` (SQLITE_FULL, SQLITE_IOERR_FSYNC, …).
  void fail_at(int n, int code);
  void heal();
  // Whether the fault was met since fail_at.
  bool met() const;
};

}  // namespace actionhist::test
