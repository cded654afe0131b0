// The cells that a recording or a transform has made, by number: which slot each holds now, and whether anyone still holds it.
#pragma once

#include "frontend/Array.h"

#include <mutex>
#include <string>

namespace kiln {

struct Cell {
  Storage *storage; // null: nobody holds it any more
  int32_t slot, version = 0;
};

/// Shared by a mode and the storages that it made, which may outlive it, and may die in any thread.
struct CellTable {
  std::atomic<int32_t> refs{1};
  virtual ~CellTable() = default;

  /// Makes a storage a cell of this table.
  void add(Storage &storage, int32_t slot) {
    std::lock_guard lock(mutex);
    storage.recording = this;
    storage.cell = int32_t(cells.size());
    refs.fetch_add(1, std::memory_order_relaxed);
    cells.push_back({&storage, slot});
  }
  /// A storage that is about to end.
  void drop(Storage *storage) {
    {
      std::lock_guard lock(mutex);
      if (Storage **place = placeOf(storage->cell)) *place = nullptr;
    }
    dropped(storage->cell);
    release();
  }
  /// `to`, which is no cell, becomes the one that `from` is.
  void handOver(Storage &from, Storage &to) {
    std::lock_guard lock(mutex);
    if (Storage **place = placeOf(from.cell)) *place = &to;
    to.recording = std::exchange(from.recording, nullptr);
    to.cell = std::exchange(from.cell, -1);
  }
  /// Where the storage of a cell is noted; null for one that was given up. Holding the lock.
  virtual Storage **placeOf(int32_t cell) { return size_t(cell) < cells.size() ? &cells[size_t(cell)].storage : nullptr; }
  /// Nobody holds a cell any more; from any thread.
  virtual void dropped(int32_t) {}
  /// The recorder is over: its storages are like any others.
  void close() {
    std::lock_guard lock(mutex);
    std::vector<Cell>().swap(cells);
  }
  void release() {
    if (refs.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  std::vector<Cell> cells;
  std::string fate; // why the storages that are left have no values, where that is known
  std::mutex mutex; // held for moments, and free as a rule
};

} // namespace kiln
