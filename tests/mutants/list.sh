# Sourced by run and run_agreement: reads a list of mutants and applies one of them to the text of a file.
# A mutant of a list:
#   == NAME
#   the rule that it breaks
#   how it is noticed           (only where $list_says_how is true)
#   FILE                        one edit: FILE holds the text to find exactly once
#   the text to find
#   =>
#   what stands there instead
#   .
#   FILE …                      further edits, each ended by a dot alone on its line
# Empty lines and lines that begin with # between edits are comments.

names=() rules=() ways=()
edit_of=() files=() finds=() replacements=()  # of each edit: the index of its mutant, and what it does

read_list() { # file
  local line state=outside text=
  while IFS= read -r line; do
    case $state in
      outside)
        if [[ $line == "== "* ]]; then
          names+=("${line#== }")
          state=rule
        elif [[ -n $line && $line != "#"* ]]; then
          edit_of+=($((${#names[@]} - 1)))
          files+=("$line")
          state=find text=
        fi
        ;;
      rule)
        rules+=("$line")
        if ${list_says_how-false}; then state=way; else state=outside; fi
        ;;
      way) ways+=("$line") state=outside ;;
      find)
        if [[ $line == "=>" ]]; then
          finds+=("$text")
          state=replace text=
        else
          text+=${text:+$'\n'}$line
        fi
        ;;
      replace)
        if [[ $line == . ]]; then
          replacements+=("$text")
          state=outside
        else
          text+=${text:+$'\n'}$line
        fi
        ;;
    esac
  done <"$1"
  [[ $state == outside && ${#rules[@]} -eq ${#names[@]} && ${#replacements[@]} -eq ${#files[@]} ]]
}

occurrences() { # text, what to find in it
  local without=${1//"$2"/}
  echo $(((${#1} - ${#without}) / ${#2}))
}

# Checks that every edit applies, every mutant has an edit, no name stands twice, and there are enough mutants.
check_list() { # root of the tree, smallest number of mutants
  local bad=0 i content found
  for i in "${!files[@]}"; do
    local name=${names[${edit_of[i]}]}
    content=$(<"$1/${files[i]}") || content=
    found=$(occurrences "$content" "${finds[i]}")
    if [[ $found != 1 ]]; then
      echo "$name: its text stands $found times in ${files[i]}, not once"
      bad=1
    fi
    if [[ ${finds[i]} == "${replacements[i]}" ]]; then
      echo "$name changes nothing"
      bad=1
    fi
  done
  for i in "${!names[@]}"; do
    if [[ " ${edit_of[*]} " != *" $i "* ]]; then
      echo "${names[i]} has no edit"
      bad=1
    fi
  done
  local doubles
  doubles=$(printf '%s\n' "${names[@]}" | sort | uniq -d)
  if [[ -n $doubles ]]; then
    echo "named twice: $doubles"
    bad=1
  fi
  if ((${#names[@]} < $2)); then
    echo "only ${#names[@]} mutants"
    bad=1
  fi
  return $bad
}

# Ends the script with 2 when one of these names no mutant.
expect_known() { # list, names…
  local name
  for name in "${@:2}"; do
    if [[ " ${names[*]} " != *" $name "* ]]; then
      echo "there is no mutant $name; $1 names every one" >&2
      exit 2
    fi
  done
}

# Writes the files that a mutant changes, in their changed form, below another folder. Several edits of a file add up.
write_mutant() { # index of the mutant, root of the tree, folder to write to
  local i content
  for i in "${!files[@]}"; do
    [[ ${edit_of[i]} == "$1" ]] || continue
    local to=$3/${files[i]}
    if [[ ! -e $to ]]; then
      mkdir -p "${to%/*}"
      cp "$2/${files[i]}" "$to"
    fi
    content=$(cat "$to" && printf x)
    content=${content%x}
    printf '%s' "${content/"${finds[i]}"/"${replacements[i]}"}" >"$to"
  done
}
