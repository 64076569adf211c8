_wherefore() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="wherefore"
                ;;
            wherefore,alert)
                cmd="wherefore__subcmd__alert"
                ;;
            wherefore,backtest)
                cmd="wherefore__subcmd__backtest"
                ;;
            wherefore,config)
                cmd="wherefore__subcmd__config"
                ;;
            wherefore,doctor)
                cmd="wherefore__subcmd__doctor"
                ;;
            wherefore,generate)
                cmd="wherefore__subcmd__generate"
                ;;
            wherefore,geo)
                cmd="wherefore__subcmd__geo"
                ;;
            wherefore,help)
                cmd="wherefore__subcmd__help"
                ;;
            wherefore,history)
                cmd="wherefore__subcmd__history"
                ;;
            wherefore,replay)
                cmd="wherefore__subcmd__replay"
                ;;
            wherefore,run)
                cmd="wherefore__subcmd__run"
                ;;
            wherefore,score)
                cmd="wherefore__subcmd__score"
                ;;
            wherefore,top)
                cmd="wherefore__subcmd__top"
                ;;
            wherefore,why)
                cmd="wherefore__subcmd__why"
                ;;
            wherefore__subcmd__alert,help)
                cmd="wherefore__subcmd__alert__subcmd__help"
                ;;
            wherefore__subcmd__alert,test)
                cmd="wherefore__subcmd__alert__subcmd__test"
                ;;
            wherefore__subcmd__alert__subcmd__help,help)
                cmd="wherefore__subcmd__alert__subcmd__help__subcmd__help"
                ;;
            wherefore__subcmd__alert__subcmd__help,test)
                cmd="wherefore__subcmd__alert__subcmd__help__subcmd__test"
                ;;
            wherefore__subcmd__config,check)
                cmd="wherefore__subcmd__config__subcmd__check"
                ;;
            wherefore__subcmd__config,default)
                cmd="wherefore__subcmd__config__subcmd__default"
                ;;
            wherefore__subcmd__config,help)
                cmd="wherefore__subcmd__config__subcmd__help"
                ;;
            wherefore__subcmd__config,show)
                cmd="wherefore__subcmd__config__subcmd__show"
                ;;
            wherefore__subcmd__config__subcmd__help,check)
                cmd="wherefore__subcmd__config__subcmd__help__subcmd__check"
                ;;
            wherefore__subcmd__config__subcmd__help,default)
                cmd="wherefore__subcmd__config__subcmd__help__subcmd__default"
                ;;
            wherefore__subcmd__config__subcmd__help,help)
                cmd="wherefore__subcmd__config__subcmd__help__subcmd__help"
                ;;
            wherefore__subcmd__config__subcmd__help,show)
                cmd="wherefore__subcmd__config__subcmd__help__subcmd__show"
                ;;
            wherefore__subcmd__help,alert)
                cmd="wherefore__subcmd__help__subcmd__alert"
                ;;
            wherefore__subcmd__help,backtest)
                cmd="wherefore__subcmd__help__subcmd__backtest"
                ;;
            wherefore__subcmd__help,config)
                cmd="wherefore__subcmd__help__subcmd__config"
                ;;
            wherefore__subcmd__help,doctor)
                cmd="wherefore__subcmd__help__subcmd__doctor"
                ;;
            wherefore__subcmd__help,generate)
                cmd="wherefore__subcmd__help__subcmd__generate"
                ;;
            wherefore__subcmd__help,geo)
                cmd="wherefore__subcmd__help__subcmd__geo"
                ;;
            wherefore__subcmd__help,help)
                cmd="wherefore__subcmd__help__subcmd__help"
                ;;
            wherefore__subcmd__help,history)
                cmd="wherefore__subcmd__help__subcmd__history"
                ;;
            wherefore__subcmd__help,replay)
                cmd="wherefore__subcmd__help__subcmd__replay"
                ;;
            wherefore__subcmd__help,run)
                cmd="wherefore__subcmd__help__subcmd__run"
                ;;
            wherefore__subcmd__help,score)
                cmd="wherefore__subcmd__help__subcmd__score"
                ;;
            wherefore__subcmd__help,top)
                cmd="wherefore__subcmd__help__subcmd__top"
                ;;
            wherefore__subcmd__help,why)
                cmd="wherefore__subcmd__help__subcmd__why"
                ;;
            wherefore__subcmd__help__subcmd__alert,test)
                cmd="wherefore__subcmd__help__subcmd__alert__subcmd__test"
                ;;
            wherefore__subcmd__help__subcmd__config,check)
                cmd="wherefore__subcmd__help__subcmd__config__subcmd__check"
                ;;
            wherefore__subcmd__help__subcmd__config,default)
                cmd="wherefore__subcmd__help__subcmd__config__subcmd__default"
                ;;
            wherefore__subcmd__help__subcmd__config,show)
                cmd="wherefore__subcmd__help__subcmd__config__subcmd__show"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        wherefore)
            opts="-i -s -w -l -f -h -V --interface --daq --attach --attach-order --bpf-debug --bpf-object --snaplen --read-timeout --pcapfile --socket --sandbox --duration --config --host-name --transfer-interval --group-by --max-flows --expire-after --top --flows --alerts --series --log-dir --sink --state-dir --loglevel --filter-ip-cidr --filter-bool --filter-src --filter-dst --pcap-filter --filter-exclude --compat --anom-methods --anom-active-size --anom-n-seasons --anom-gv-cap --anom-sensitivity --anom-lower-bound --anom-upper-bound --alert-budget --alert-kinds --alert-threshold --alert-min-bytes --alert-repeat --alert-resolve --alert-cooldown --alert-limit --alert-allow --alert-country --alert-asn --alert-new --alert-new-after --alert-quiet-start --alert-learn --alert-learn-after --alert-key-scope --alert-label --geo --names --passive-dns --resolve --slack-url --slack-channel --slack-emoji --slack-icon --log-packets --archive-dir --max-pcap-log-size --max-pcap-rotations --evidence-ring --evidence-snaplen --evidence-max-size --ipfix --ipfix-rate --otlp --otlp-rate --otlp-header --otlp-ca-file --kafka --kafka-alert-topic --kafka-rate --kafka-option --history --history-keep --history-size --attribution --show-arguments --hide-processes --listen --listen-token-file --help --version run top doctor replay backtest history why score geo config alert generate help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --interface)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -i)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --daq)
                    COMPREPLY=($(compgen -W "auto ebpf libpcap" -- "${cur}"))
                    return 0
                    ;;
                --attach)
                    COMPREPLY=($(compgen -W "auto tcx clsact xdp xdp-generic" -- "${cur}"))
                    return 0
                    ;;
                --attach-order)
                    COMPREPLY=($(compgen -W "first last" -- "${cur}"))
                    return 0
                    ;;
                --bpf-debug)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --bpf-object)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -s)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --read-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -w)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pcapfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --socket)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sandbox)
                    COMPREPLY=($(compgen -W "on off" -- "${cur}"))
                    return 0
                    ;;
                --duration)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --transfer-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -W "pair flow src dst peer-prefix country asn name process unit container pod user interface" -- "${cur}"))
                    return 0
                    ;;
                --max-flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --expire-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --top)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alerts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --series)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -l)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sink)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --loglevel)
                    COMPREPLY=($(compgen -W "trace debug info warn error fatal panic" -- "${cur}"))
                    return 0
                    ;;
                --filter-ip-cidr)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-bool)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-src)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-dst)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --pcap-filter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --compat)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --anom-methods)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-active-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-n-seasons)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-gv-cap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-sensitivity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-lower-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-upper-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-budget)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-kinds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-min-bytes)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-repeat)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-resolve)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-cooldown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-allow)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-country)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-asn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-new)
                    COMPREPLY=($(compgen -W "country asn" -- "${cur}"))
                    return 0
                    ;;
                --alert-new-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-quiet-start)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-key-scope)
                    COMPREPLY=($(compgen -W "host network" -- "${cur}"))
                    return 0
                    ;;
                --alert-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --geo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --passive-dns)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --resolve)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --slack-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-channel)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-emoji)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-icon)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-packets)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --archive-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-log-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-rotations)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-ring)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-alert-topic)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-option)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-keep)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --attribution)
                    COMPREPLY=($(compgen -W "auto kernel proc off" -- "${cur}"))
                    return 0
                    ;;
                --show-arguments)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --hide-processes)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --listen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --listen-token-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__alert)
            opts="-h --help test help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__alert__subcmd__help)
            opts="test help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__alert__subcmd__help__subcmd__help)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 4 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__alert__subcmd__help__subcmd__test)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 4 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__alert__subcmd__test)
            opts="-l -f -h --config --host-name --transfer-interval --group-by --max-flows --expire-after --top --flows --alerts --series --log-dir --sink --state-dir --loglevel --filter-ip-cidr --filter-bool --filter-src --filter-dst --pcap-filter --filter-exclude --compat --anom-methods --anom-active-size --anom-n-seasons --anom-gv-cap --anom-sensitivity --anom-lower-bound --anom-upper-bound --alert-budget --alert-kinds --alert-threshold --alert-min-bytes --alert-repeat --alert-resolve --alert-cooldown --alert-limit --alert-allow --alert-country --alert-asn --alert-new --alert-new-after --alert-quiet-start --alert-learn --alert-learn-after --alert-key-scope --alert-label --geo --names --passive-dns --resolve --slack-url --slack-channel --slack-emoji --slack-icon --log-packets --archive-dir --max-pcap-log-size --max-pcap-rotations --evidence-ring --evidence-snaplen --evidence-max-size --ipfix --ipfix-rate --otlp --otlp-rate --otlp-header --otlp-ca-file --kafka --kafka-alert-topic --kafka-rate --kafka-option --history --history-keep --history-size --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --transfer-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -W "pair flow src dst peer-prefix country asn name process unit container pod user interface" -- "${cur}"))
                    return 0
                    ;;
                --max-flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --expire-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --top)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alerts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --series)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -l)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sink)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --loglevel)
                    COMPREPLY=($(compgen -W "trace debug info warn error fatal panic" -- "${cur}"))
                    return 0
                    ;;
                --filter-ip-cidr)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-bool)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-src)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-dst)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --pcap-filter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --compat)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --anom-methods)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-active-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-n-seasons)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-gv-cap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-sensitivity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-lower-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-upper-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-budget)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-kinds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-min-bytes)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-repeat)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-resolve)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-cooldown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-allow)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-country)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-asn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-new)
                    COMPREPLY=($(compgen -W "country asn" -- "${cur}"))
                    return 0
                    ;;
                --alert-new-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-quiet-start)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-key-scope)
                    COMPREPLY=($(compgen -W "host network" -- "${cur}"))
                    return 0
                    ;;
                --alert-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --geo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --passive-dns)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --resolve)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --slack-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-channel)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-emoji)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-icon)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-packets)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --archive-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-log-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-rotations)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-ring)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-alert-topic)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-option)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-keep)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__backtest)
            opts="-f -h --at-budget --svg --json --reorder --no-progress --config --host-name --transfer-interval --group-by --max-flows --expire-after --loglevel --filter-ip-cidr --filter-bool --filter-src --filter-dst --pcap-filter --filter-exclude --compat --anom-methods --anom-active-size --anom-n-seasons --anom-gv-cap --anom-sensitivity --anom-lower-bound --anom-upper-bound --alert-budget --alert-kinds --alert-threshold --alert-min-bytes --alert-repeat --alert-resolve --alert-cooldown --alert-limit --alert-allow --alert-country --alert-asn --alert-new --alert-new-after --alert-quiet-start --alert-learn --alert-learn-after --alert-key-scope --alert-label --geo --names --passive-dns --resolve --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --at-budget)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --svg)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --json)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --reorder)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --no-progress)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --transfer-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -W "pair flow src dst peer-prefix country asn name process unit container pod user interface" -- "${cur}"))
                    return 0
                    ;;
                --max-flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --expire-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --loglevel)
                    COMPREPLY=($(compgen -W "trace debug info warn error fatal panic" -- "${cur}"))
                    return 0
                    ;;
                --filter-ip-cidr)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-bool)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-src)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-dst)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --pcap-filter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --compat)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --anom-methods)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-active-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-n-seasons)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-gv-cap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-sensitivity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-lower-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-upper-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-budget)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-kinds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-min-bytes)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-repeat)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-resolve)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-cooldown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-allow)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-country)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-asn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-new)
                    COMPREPLY=($(compgen -W "country asn" -- "${cur}"))
                    return 0
                    ;;
                --alert-new-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-quiet-start)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-key-scope)
                    COMPREPLY=($(compgen -W "host network" -- "${cur}"))
                    return 0
                    ;;
                --alert-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --geo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --passive-dns)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --resolve)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__config)
            opts="-h --help check show default help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__config__subcmd__check)
            opts="-i -s -w -l -f -h --interface --daq --attach --attach-order --bpf-debug --bpf-object --snaplen --read-timeout --pcapfile --socket --sandbox --duration --config --host-name --transfer-interval --group-by --max-flows --expire-after --top --flows --alerts --series --log-dir --sink --state-dir --loglevel --filter-ip-cidr --filter-bool --filter-src --filter-dst --pcap-filter --filter-exclude --compat --anom-methods --anom-active-size --anom-n-seasons --anom-gv-cap --anom-sensitivity --anom-lower-bound --anom-upper-bound --alert-budget --alert-kinds --alert-threshold --alert-min-bytes --alert-repeat --alert-resolve --alert-cooldown --alert-limit --alert-allow --alert-country --alert-asn --alert-new --alert-new-after --alert-quiet-start --alert-learn --alert-learn-after --alert-key-scope --alert-label --geo --names --passive-dns --resolve --slack-url --slack-channel --slack-emoji --slack-icon --log-packets --archive-dir --max-pcap-log-size --max-pcap-rotations --evidence-ring --evidence-snaplen --evidence-max-size --ipfix --ipfix-rate --otlp --otlp-rate --otlp-header --otlp-ca-file --kafka --kafka-alert-topic --kafka-rate --kafka-option --history --history-keep --history-size --attribution --show-arguments --hide-processes --listen --listen-token-file --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --interface)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -i)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --daq)
                    COMPREPLY=($(compgen -W "auto ebpf libpcap" -- "${cur}"))
                    return 0
                    ;;
                --attach)
                    COMPREPLY=($(compgen -W "auto tcx clsact xdp xdp-generic" -- "${cur}"))
                    return 0
                    ;;
                --attach-order)
                    COMPREPLY=($(compgen -W "first last" -- "${cur}"))
                    return 0
                    ;;
                --bpf-debug)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --bpf-object)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -s)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --read-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -w)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pcapfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --socket)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sandbox)
                    COMPREPLY=($(compgen -W "on off" -- "${cur}"))
                    return 0
                    ;;
                --duration)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --transfer-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -W "pair flow src dst peer-prefix country asn name process unit container pod user interface" -- "${cur}"))
                    return 0
                    ;;
                --max-flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --expire-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --top)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alerts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --series)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -l)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sink)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --loglevel)
                    COMPREPLY=($(compgen -W "trace debug info warn error fatal panic" -- "${cur}"))
                    return 0
                    ;;
                --filter-ip-cidr)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-bool)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-src)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-dst)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --pcap-filter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --compat)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --anom-methods)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-active-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-n-seasons)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-gv-cap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-sensitivity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-lower-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-upper-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-budget)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-kinds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-min-bytes)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-repeat)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-resolve)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-cooldown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-allow)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-country)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-asn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-new)
                    COMPREPLY=($(compgen -W "country asn" -- "${cur}"))
                    return 0
                    ;;
                --alert-new-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-quiet-start)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-key-scope)
                    COMPREPLY=($(compgen -W "host network" -- "${cur}"))
                    return 0
                    ;;
                --alert-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --geo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --passive-dns)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --resolve)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --slack-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-channel)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-emoji)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-icon)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-packets)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --archive-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-log-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-rotations)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-ring)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-alert-topic)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-option)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-keep)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --attribution)
                    COMPREPLY=($(compgen -W "auto kernel proc off" -- "${cur}"))
                    return 0
                    ;;
                --show-arguments)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --hide-processes)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --listen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --listen-token-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__config__subcmd__default)
            opts="-h --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__config__subcmd__help)
            opts="check show default help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__config__subcmd__help__subcmd__check)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 4 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__config__subcmd__help__subcmd__default)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 4 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__config__subcmd__help__subcmd__help)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 4 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__config__subcmd__help__subcmd__show)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 4 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__config__subcmd__show)
            opts="-i -s -w -l -f -h --interface --daq --attach --attach-order --bpf-debug --bpf-object --snaplen --read-timeout --pcapfile --socket --sandbox --duration --config --host-name --transfer-interval --group-by --max-flows --expire-after --top --flows --alerts --series --log-dir --sink --state-dir --loglevel --filter-ip-cidr --filter-bool --filter-src --filter-dst --pcap-filter --filter-exclude --compat --anom-methods --anom-active-size --anom-n-seasons --anom-gv-cap --anom-sensitivity --anom-lower-bound --anom-upper-bound --alert-budget --alert-kinds --alert-threshold --alert-min-bytes --alert-repeat --alert-resolve --alert-cooldown --alert-limit --alert-allow --alert-country --alert-asn --alert-new --alert-new-after --alert-quiet-start --alert-learn --alert-learn-after --alert-key-scope --alert-label --geo --names --passive-dns --resolve --slack-url --slack-channel --slack-emoji --slack-icon --log-packets --archive-dir --max-pcap-log-size --max-pcap-rotations --evidence-ring --evidence-snaplen --evidence-max-size --ipfix --ipfix-rate --otlp --otlp-rate --otlp-header --otlp-ca-file --kafka --kafka-alert-topic --kafka-rate --kafka-option --history --history-keep --history-size --attribution --show-arguments --hide-processes --listen --listen-token-file --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --interface)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -i)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --daq)
                    COMPREPLY=($(compgen -W "auto ebpf libpcap" -- "${cur}"))
                    return 0
                    ;;
                --attach)
                    COMPREPLY=($(compgen -W "auto tcx clsact xdp xdp-generic" -- "${cur}"))
                    return 0
                    ;;
                --attach-order)
                    COMPREPLY=($(compgen -W "first last" -- "${cur}"))
                    return 0
                    ;;
                --bpf-debug)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --bpf-object)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -s)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --read-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -w)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pcapfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --socket)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sandbox)
                    COMPREPLY=($(compgen -W "on off" -- "${cur}"))
                    return 0
                    ;;
                --duration)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --transfer-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -W "pair flow src dst peer-prefix country asn name process unit container pod user interface" -- "${cur}"))
                    return 0
                    ;;
                --max-flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --expire-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --top)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alerts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --series)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -l)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sink)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --loglevel)
                    COMPREPLY=($(compgen -W "trace debug info warn error fatal panic" -- "${cur}"))
                    return 0
                    ;;
                --filter-ip-cidr)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-bool)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-src)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-dst)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --pcap-filter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --compat)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --anom-methods)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-active-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-n-seasons)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-gv-cap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-sensitivity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-lower-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-upper-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-budget)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-kinds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-min-bytes)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-repeat)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-resolve)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-cooldown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-allow)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-country)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-asn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-new)
                    COMPREPLY=($(compgen -W "country asn" -- "${cur}"))
                    return 0
                    ;;
                --alert-new-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-quiet-start)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-key-scope)
                    COMPREPLY=($(compgen -W "host network" -- "${cur}"))
                    return 0
                    ;;
                --alert-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --geo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --passive-dns)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --resolve)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --slack-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-channel)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-emoji)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-icon)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-packets)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --archive-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-log-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-rotations)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-ring)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-alert-topic)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-option)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-keep)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --attribution)
                    COMPREPLY=($(compgen -W "auto kernel proc off" -- "${cur}"))
                    return 0
                    ;;
                --show-arguments)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --hide-processes)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --listen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --listen-token-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__doctor)
            opts="-i -s -w -l -f -h --json --interface --daq --attach --attach-order --bpf-debug --bpf-object --snaplen --read-timeout --pcapfile --socket --sandbox --duration --config --host-name --transfer-interval --group-by --max-flows --expire-after --top --flows --alerts --series --log-dir --sink --state-dir --loglevel --filter-ip-cidr --filter-bool --filter-src --filter-dst --pcap-filter --filter-exclude --compat --anom-methods --anom-active-size --anom-n-seasons --anom-gv-cap --anom-sensitivity --anom-lower-bound --anom-upper-bound --alert-budget --alert-kinds --alert-threshold --alert-min-bytes --alert-repeat --alert-resolve --alert-cooldown --alert-limit --alert-allow --alert-country --alert-asn --alert-new --alert-new-after --alert-quiet-start --alert-learn --alert-learn-after --alert-key-scope --alert-label --geo --names --passive-dns --resolve --slack-url --slack-channel --slack-emoji --slack-icon --log-packets --archive-dir --max-pcap-log-size --max-pcap-rotations --evidence-ring --evidence-snaplen --evidence-max-size --ipfix --ipfix-rate --otlp --otlp-rate --otlp-header --otlp-ca-file --kafka --kafka-alert-topic --kafka-rate --kafka-option --history --history-keep --history-size --attribution --show-arguments --hide-processes --listen --listen-token-file --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --json)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --interface)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -i)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --daq)
                    COMPREPLY=($(compgen -W "auto ebpf libpcap" -- "${cur}"))
                    return 0
                    ;;
                --attach)
                    COMPREPLY=($(compgen -W "auto tcx clsact xdp xdp-generic" -- "${cur}"))
                    return 0
                    ;;
                --attach-order)
                    COMPREPLY=($(compgen -W "first last" -- "${cur}"))
                    return 0
                    ;;
                --bpf-debug)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --bpf-object)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -s)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --read-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -w)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pcapfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --socket)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sandbox)
                    COMPREPLY=($(compgen -W "on off" -- "${cur}"))
                    return 0
                    ;;
                --duration)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --transfer-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -W "pair flow src dst peer-prefix country asn name process unit container pod user interface" -- "${cur}"))
                    return 0
                    ;;
                --max-flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --expire-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --top)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alerts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --series)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -l)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sink)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --loglevel)
                    COMPREPLY=($(compgen -W "trace debug info warn error fatal panic" -- "${cur}"))
                    return 0
                    ;;
                --filter-ip-cidr)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-bool)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-src)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-dst)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --pcap-filter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --compat)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --anom-methods)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-active-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-n-seasons)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-gv-cap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-sensitivity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-lower-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-upper-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-budget)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-kinds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-min-bytes)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-repeat)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-resolve)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-cooldown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-allow)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-country)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-asn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-new)
                    COMPREPLY=($(compgen -W "country asn" -- "${cur}"))
                    return 0
                    ;;
                --alert-new-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-quiet-start)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-key-scope)
                    COMPREPLY=($(compgen -W "host network" -- "${cur}"))
                    return 0
                    ;;
                --alert-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --geo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --passive-dns)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --resolve)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --slack-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-channel)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-emoji)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-icon)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-packets)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --archive-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-log-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-rotations)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-ring)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-alert-topic)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-option)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-keep)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --attribution)
                    COMPREPLY=($(compgen -W "auto kernel proc off" -- "${cur}"))
                    return 0
                    ;;
                --show-arguments)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --hide-processes)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --listen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --listen-token-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__generate)
            opts="-h --help man man-of-file reference schema bash zsh fish"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__geo)
            opts="-h --geo --names --passive-dns --resolve --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --geo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --passive-dns)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --resolve)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help)
            opts="run top doctor replay backtest history why score geo config alert generate help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__alert)
            opts="test"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__alert__subcmd__test)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 4 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__backtest)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__config)
            opts="check show default"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__config__subcmd__check)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 4 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__config__subcmd__default)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 4 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__config__subcmd__show)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 4 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__doctor)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__generate)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__geo)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__help)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__history)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__replay)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__run)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__score)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__top)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__help__subcmd__why)
            opts=""
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 3 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__history)
            opts="-i -h --from --since --until --to --by --top --interface --plot --json --csv --history --state-dir --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --since)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --until)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --by)
                    COMPREPLY=($(compgen -W "process unit container pod user peer name country asn pair port interface" -- "${cur}"))
                    return 0
                    ;;
                --top)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --interface)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -i)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --plot)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --json)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --csv)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__replay)
            opts="-l -f -h --reorder --no-progress --config --host-name --transfer-interval --group-by --max-flows --expire-after --top --flows --alerts --series --log-dir --sink --state-dir --loglevel --filter-ip-cidr --filter-bool --filter-src --filter-dst --pcap-filter --filter-exclude --compat --anom-methods --anom-active-size --anom-n-seasons --anom-gv-cap --anom-sensitivity --anom-lower-bound --anom-upper-bound --alert-budget --alert-kinds --alert-threshold --alert-min-bytes --alert-repeat --alert-resolve --alert-cooldown --alert-limit --alert-allow --alert-country --alert-asn --alert-new --alert-new-after --alert-quiet-start --alert-learn --alert-learn-after --alert-key-scope --alert-label --geo --names --passive-dns --resolve --slack-url --slack-channel --slack-emoji --slack-icon --log-packets --archive-dir --max-pcap-log-size --max-pcap-rotations --evidence-ring --evidence-snaplen --evidence-max-size --ipfix --ipfix-rate --otlp --otlp-rate --otlp-header --otlp-ca-file --kafka --kafka-alert-topic --kafka-rate --kafka-option --history --history-keep --history-size --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --reorder)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --no-progress)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --transfer-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -W "pair flow src dst peer-prefix country asn name process unit container pod user interface" -- "${cur}"))
                    return 0
                    ;;
                --max-flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --expire-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --top)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alerts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --series)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -l)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sink)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --loglevel)
                    COMPREPLY=($(compgen -W "trace debug info warn error fatal panic" -- "${cur}"))
                    return 0
                    ;;
                --filter-ip-cidr)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-bool)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-src)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-dst)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --pcap-filter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --compat)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --anom-methods)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-active-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-n-seasons)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-gv-cap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-sensitivity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-lower-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-upper-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-budget)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-kinds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-min-bytes)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-repeat)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-resolve)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-cooldown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-allow)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-country)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-asn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-new)
                    COMPREPLY=($(compgen -W "country asn" -- "${cur}"))
                    return 0
                    ;;
                --alert-new-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-quiet-start)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-key-scope)
                    COMPREPLY=($(compgen -W "host network" -- "${cur}"))
                    return 0
                    ;;
                --alert-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --geo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --passive-dns)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --resolve)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --slack-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-channel)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-emoji)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-icon)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-packets)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --archive-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-log-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-rotations)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-ring)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-alert-topic)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-option)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-keep)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__run)
            opts="-i -s -w -l -f -h --interface --daq --attach --attach-order --bpf-debug --bpf-object --snaplen --read-timeout --pcapfile --socket --sandbox --duration --config --host-name --transfer-interval --group-by --max-flows --expire-after --top --flows --alerts --series --log-dir --sink --state-dir --loglevel --filter-ip-cidr --filter-bool --filter-src --filter-dst --pcap-filter --filter-exclude --compat --anom-methods --anom-active-size --anom-n-seasons --anom-gv-cap --anom-sensitivity --anom-lower-bound --anom-upper-bound --alert-budget --alert-kinds --alert-threshold --alert-min-bytes --alert-repeat --alert-resolve --alert-cooldown --alert-limit --alert-allow --alert-country --alert-asn --alert-new --alert-new-after --alert-quiet-start --alert-learn --alert-learn-after --alert-key-scope --alert-label --geo --names --passive-dns --resolve --slack-url --slack-channel --slack-emoji --slack-icon --log-packets --archive-dir --max-pcap-log-size --max-pcap-rotations --evidence-ring --evidence-snaplen --evidence-max-size --ipfix --ipfix-rate --otlp --otlp-rate --otlp-header --otlp-ca-file --kafka --kafka-alert-topic --kafka-rate --kafka-option --history --history-keep --history-size --attribution --show-arguments --hide-processes --listen --listen-token-file --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --interface)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -i)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --daq)
                    COMPREPLY=($(compgen -W "auto ebpf libpcap" -- "${cur}"))
                    return 0
                    ;;
                --attach)
                    COMPREPLY=($(compgen -W "auto tcx clsact xdp xdp-generic" -- "${cur}"))
                    return 0
                    ;;
                --attach-order)
                    COMPREPLY=($(compgen -W "first last" -- "${cur}"))
                    return 0
                    ;;
                --bpf-debug)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --bpf-object)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -s)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --read-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -w)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pcapfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --socket)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sandbox)
                    COMPREPLY=($(compgen -W "on off" -- "${cur}"))
                    return 0
                    ;;
                --duration)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --transfer-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -W "pair flow src dst peer-prefix country asn name process unit container pod user interface" -- "${cur}"))
                    return 0
                    ;;
                --max-flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --expire-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --top)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alerts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --series)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -l)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sink)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --loglevel)
                    COMPREPLY=($(compgen -W "trace debug info warn error fatal panic" -- "${cur}"))
                    return 0
                    ;;
                --filter-ip-cidr)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-bool)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-src)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-dst)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --pcap-filter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --compat)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --anom-methods)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-active-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-n-seasons)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-gv-cap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-sensitivity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-lower-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-upper-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-budget)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-kinds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-min-bytes)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-repeat)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-resolve)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-cooldown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-allow)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-country)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-asn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-new)
                    COMPREPLY=($(compgen -W "country asn" -- "${cur}"))
                    return 0
                    ;;
                --alert-new-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-quiet-start)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-key-scope)
                    COMPREPLY=($(compgen -W "host network" -- "${cur}"))
                    return 0
                    ;;
                --alert-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --geo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --passive-dns)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --resolve)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --slack-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-channel)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-emoji)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-icon)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-packets)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --archive-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-log-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-rotations)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-ring)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-alert-topic)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-option)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-keep)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --attribution)
                    COMPREPLY=($(compgen -W "auto kernel proc off" -- "${cur}"))
                    return 0
                    ;;
                --show-arguments)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --hide-processes)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --listen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --listen-token-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__score)
            opts="-h --series-per-line --detector --compat --anom-methods --anom-active-size --anom-n-seasons --anom-gv-cap --anom-sensitivity --anom-lower-bound --anom-upper-bound --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --series-per-line)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --detector)
                    COMPREPLY=($(compgen -W "flow aggregate lytics" -- "${cur}"))
                    return 0
                    ;;
                --compat)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --anom-methods)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-active-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-n-seasons)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-gv-cap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-sensitivity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-lower-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-upper-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__top)
            opts="-i -s -w -l -f -h --replay --speed --reorder --interface --daq --attach --attach-order --bpf-debug --bpf-object --snaplen --read-timeout --pcapfile --socket --sandbox --duration --config --host-name --transfer-interval --group-by --max-flows --expire-after --top --flows --alerts --series --log-dir --sink --state-dir --loglevel --filter-ip-cidr --filter-bool --filter-src --filter-dst --pcap-filter --filter-exclude --compat --anom-methods --anom-active-size --anom-n-seasons --anom-gv-cap --anom-sensitivity --anom-lower-bound --anom-upper-bound --alert-budget --alert-kinds --alert-threshold --alert-min-bytes --alert-repeat --alert-resolve --alert-cooldown --alert-limit --alert-allow --alert-country --alert-asn --alert-new --alert-new-after --alert-quiet-start --alert-learn --alert-learn-after --alert-key-scope --alert-label --geo --names --passive-dns --resolve --slack-url --slack-channel --slack-emoji --slack-icon --log-packets --archive-dir --max-pcap-log-size --max-pcap-rotations --evidence-ring --evidence-snaplen --evidence-max-size --ipfix --ipfix-rate --otlp --otlp-rate --otlp-header --otlp-ca-file --kafka --kafka-alert-topic --kafka-rate --kafka-option --history --history-keep --history-size --attribution --show-arguments --hide-processes --listen --listen-token-file --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --replay)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --speed)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --reorder)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --interface)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -i)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --daq)
                    COMPREPLY=($(compgen -W "auto ebpf libpcap" -- "${cur}"))
                    return 0
                    ;;
                --attach)
                    COMPREPLY=($(compgen -W "auto tcx clsact xdp xdp-generic" -- "${cur}"))
                    return 0
                    ;;
                --attach-order)
                    COMPREPLY=($(compgen -W "first last" -- "${cur}"))
                    return 0
                    ;;
                --bpf-debug)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --bpf-object)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -s)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --read-timeout)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -w)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pcapfile)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --socket)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sandbox)
                    COMPREPLY=($(compgen -W "on off" -- "${cur}"))
                    return 0
                    ;;
                --duration)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --host-name)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --transfer-interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -W "pair flow src dst peer-prefix country asn name process unit container pod user interface" -- "${cur}"))
                    return 0
                    ;;
                --max-flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --expire-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --top)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --flows)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alerts)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --series)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -l)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sink)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --loglevel)
                    COMPREPLY=($(compgen -W "trace debug info warn error fatal panic" -- "${cur}"))
                    return 0
                    ;;
                --filter-ip-cidr)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-bool)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-src)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --filter-dst)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --pcap-filter)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter-exclude)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --compat)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --anom-methods)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-active-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-n-seasons)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-gv-cap)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-sensitivity)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-lower-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --anom-upper-bound)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-budget)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-kinds)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-threshold)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-min-bytes)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-repeat)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-resolve)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-cooldown)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-allow)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-country)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-asn)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-new)
                    COMPREPLY=($(compgen -W "country asn" -- "${cur}"))
                    return 0
                    ;;
                --alert-new-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-quiet-start)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --alert-learn-after)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --alert-key-scope)
                    COMPREPLY=($(compgen -W "host network" -- "${cur}"))
                    return 0
                    ;;
                --alert-label)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --geo)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --names)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --passive-dns)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --resolve)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --slack-url)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-channel)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-emoji)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --slack-icon)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --log-packets)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --archive-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-log-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --max-pcap-rotations)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-ring)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-snaplen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --evidence-max-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --ipfix-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-header)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --otlp-ca-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-alert-topic)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-rate)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --kafka-option)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-keep)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --history-size)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --attribution)
                    COMPREPLY=($(compgen -W "auto kernel proc off" -- "${cur}"))
                    return 0
                    ;;
                --show-arguments)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --hide-processes)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --listen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --listen-token-file)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        wherefore__subcmd__why)
            opts="-h --from --since --until --to --socket --json --history --state-dir --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --since)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --to)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --until)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --socket)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --json)
                    COMPREPLY=($(compgen -W "true false" -- "${cur}"))
                    return 0
                    ;;
                --history)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --state-dir)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _wherefore -o nosort -o bashdefault -o default wherefore
else
    complete -F _wherefore -o bashdefault -o default wherefore
fi
