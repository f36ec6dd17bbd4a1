# Completions of `qemu-device` for bash, which the command itself knows. Its words need no quotes.
_qemu_device() {
    local IFS=$'\n'
    COMPREPLY=($(qemu-device complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null))
}
complete -F _qemu_device qemu-device
