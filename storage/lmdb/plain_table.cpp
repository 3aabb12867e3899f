#include "storage/lmdb/plain_table.hpp"

#include "storage/lmdb/handles.hpp"

namespace soma::lmdb {

struct plain_table::inside {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi table = 0;

  ~inside() {
    if (txn != nullptr) mdb_txn_abort(txn);
    if (env != nullptr) mdb_env_close(env);
  }
  void put(byte_view key, byte_view value, unsigned flags) const {
    MDB_val raw_key = as_value(key);
    MDB_val raw_value = as_value(value);
    check(mdb_put(txn, table, &raw_key, &raw_value, flags), "put into a plain table");
  }
};

plain_table::plain_table(const std::filesystem::path& directory, std::size_t map_bytes)
    : inside_(std::make_unique<inside>()) {
  std::filesystem::create_directories(directory);
  check(mdb_env_create(&inside_->env), "create a plain table");
  check(mdb_env_set_mapsize(inside_->env, map_bytes), "size a plain table");
  check(mdb_env_open(inside_->env, directory.c_str(), MDB_NOTLS, 0600), "open a plain table");
  begin();
  check(mdb_dbi_open(inside_->txn, nullptr, 0, &inside_->table), "open a plain table");
  commit();
}

plain_table::~plain_table() = default;

void plain_table::begin() {
  check(mdb_txn_begin(inside_->env, nullptr, 0, &inside_->txn), "begin a plain batch");
}
void plain_table::put(byte_view key, byte_view value) {
  inside_->put(key, value, 0);
}
void plain_table::append(byte_view key, byte_view value) {
  inside_->put(key, value, MDB_APPEND);
}
void plain_table::commit() {
  check(mdb_txn_commit(std::exchange(inside_->txn, nullptr)), "commit a plain batch");
}

}  // namespace soma::lmdb
