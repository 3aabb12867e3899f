#include "storage/lmdb/plain_tables.hpp"

#include <map>
#include <string>

#include "storage/lmdb/handles.hpp"

namespace soma::lmdb {
namespace {

constexpr unsigned most_tables = 32;

}  // namespace

struct plain_tables::inside {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  std::map<std::string, MDB_dbi, std::less<>> tables;

  ~inside() {
    if (txn != nullptr) mdb_txn_abort(txn);
    if (env != nullptr) mdb_env_close(env);
  }
  MDB_dbi table(std::string_view name) {
    auto known = tables.find(name);
    if (known == tables.end()) {
      known = tables.emplace(name, 0).first;
      check(mdb_dbi_open(txn, known->first.c_str(), MDB_CREATE, &known->second),
            "open a plain table");
    }
    return known->second;
  }
};

plain_tables::plain_tables(const std::filesystem::path& directory, std::size_t map_bytes)
    : inside_(std::make_unique<inside>()) {
  std::filesystem::create_directories(directory);
  check(mdb_env_create(&inside_->env), "create plain tables");
  check(mdb_env_set_mapsize(inside_->env, map_bytes), "size plain tables");
  check(mdb_env_set_maxdbs(inside_->env, most_tables), "number plain tables");
  check(mdb_env_open(inside_->env, directory.c_str(), MDB_NOTLS, 0600), "open plain tables");
}

plain_tables::~plain_tables() = default;

void plain_tables::begin() {
  check(mdb_txn_begin(inside_->env, nullptr, 0, &inside_->txn), "begin a plain batch");
}
void plain_tables::put(std::string_view table, byte_view key, byte_view value, bool append) {
  MDB_val raw_key = as_value(key);
  MDB_val raw_value = as_value(value);
  check(
      mdb_put(inside_->txn, inside_->table(table), &raw_key, &raw_value, append ? MDB_APPEND : 0U),
      "put into a plain table");
}
void plain_tables::commit() {
  check(mdb_txn_commit(std::exchange(inside_->txn, nullptr)), "commit a plain batch");
}

}  // namespace soma::lmdb
