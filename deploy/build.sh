# Sourced by deploy/demo and deploy/test: configure and build one preset with as many jobs as the memory carries.

say() { printf '%s: %s\n' "${0##*/}" "$*"; }

# available_memory_mib: what is free here, never more than this process's control group allows.
available_memory_mib() {
  local free limit
  free=$(awk '/^MemAvailable:/ {print int($2 / 1024)}' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit =~ ^[0-9]+$ ]] && ((limit / 1048576 < free)); then free=$((limit / 1048576)); fi
  echo "$free"
}

# build_jobs PRESET: a file that includes libtorch takes about 1.5 GiB to compile, with sanitizers about 2.
build_jobs() {
  local each=1600 jobs cores
  [[ $1 == release ]] || each=2200
  cores=$(nproc)
  jobs=$(($(available_memory_mib) / each))
  if ((jobs > cores)); then jobs=$cores; fi
  if ((jobs < 1)); then jobs=1; fi
  echo "$jobs"
}

# build PRESET [TARGET...]
build() {
  local preset=$1 jobs
  shift
  jobs=$(build_jobs "$preset")
  say "configuring build/$preset"
  cmake --preset "$preset" >"$(mkdir -p "build/$preset" && echo "build/$preset")/configure.log" 2>&1 ||
    { cat "build/$preset/configure.log" >&2; return 1; }
  say "building ${*:-everything} with $jobs jobs"
  if (($#)); then
    cmake --build --preset "$preset" --parallel "$jobs" --target "$@"
  else
    cmake --build --preset "$preset" --parallel "$jobs"
  fi
}
