// The ledger's rows in memory, for tests.
#pragma once

#include <map>

#include "actors/ledger/state_reader.hpp"

namespace soma::test {

class memory_state final : public ledger::state_reader {
 public:
  [[nodiscard]] std::optional<bytes> find(const row_key& key) const override {
    const auto found = rows_.find(text(key));
    if (found == rows_.end()) return std::nullopt;
    return found->second;
  }
  void scan(byte_view prefix,
            const std::function<void(byte_view, byte_view)>& visit) const override {
    const std::string from(prefix.begin(), prefix.end());
    const auto first = rows_.lower_bound(from);
    auto last = first;
    while (last != rows_.end() && last->first.starts_with(from)) ++last;
    const auto call = [&](const auto& entry) {
      const row_key key(entry.first.begin(), entry.first.end());
      visit(key, entry.second);
    };
    if (backwards) {
      for (auto i = last; i != first;) call(*--i);
    } else {
      for (auto i = first; i != last; ++i) call(*i);
    }
  }
  void apply(const std::vector<row_change>& changes) {
    for (const auto& change : changes) {
      if (change.value) {
        rows_[text(change.key)] = *change.value;
      } else {
        rows_.erase(text(change.key));
      }
    }
  }
  [[nodiscard]] const std::map<std::string, bytes>& rows() const { return rows_; }

  bool backwards = false;  // reverses scans in some tests, because their order must not matter

 private:
  // Keys are texts, because gcc 12 warns without cause about comparing vectors of bytes.
  static std::string text(const row_key& key) { return {key.begin(), key.end()}; }
  std::map<std::string, bytes> rows_;
};

}  // namespace soma::test
