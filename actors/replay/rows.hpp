// The ledger rows of a replay. They are kept in memory, or in a scratch folder on the disk when
// memory should not hold them. A scratch folder belongs to the object that made it and is removed
// with it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>

#include "actors/ledger/state_reader.hpp"

namespace soma::replay {

/// Rows that can be read, and changed by blocks.
struct row_store : ledger::state_reader {
  virtual void apply(std::span<const row_change> changes) = 0;
};

class memory_rows final : public row_store {
 public:
  [[nodiscard]] std::optional<bytes> find(const row_key& key) const override;
  void scan(byte_view prefix,
            const std::function<void(byte_view key, byte_view value)>& visit) const override;
  void apply(std::span<const row_change> changes) override;

 private:
  std::map<row_key, bytes> rows_;
};

class scratch_rows final : public row_store {
 public:
  /// Creates `folder`, which must not exist yet, and removes it with this object. Throws
  /// std::runtime_error when it exists.
  explicit scratch_rows(const std::filesystem::path& folder);
  ~scratch_rows() override;

  [[nodiscard]] std::optional<bytes> find(const row_key& key) const override;
  void scan(byte_view prefix,
            const std::function<void(byte_view key, byte_view value)>& visit) const override;
  void apply(std::span<const row_change> changes) override;

 private:
  struct inside;
  std::unique_ptr<inside> inside_;
};

}  // namespace soma::replay
