// The cells that a recording or a transform has made, by number: which slot each holds now, and whether anyone still holds it.
#pragma once

#include "frontend/Array.h"

#include <mutex>

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
    if (storage->cell < 0) return release(); // stands for a note of a tape
    {
      std::lock_guard lock(mutex);
      if (size_t(storage->cell) < cells.size()) cells[size_t(storage->cell)].storage = nullptr;
    }
    dropped(storage->cell);
    release();
  }
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
  std::mutex mutex; // held for moments, and free as a rule
};

} // namespace kiln
