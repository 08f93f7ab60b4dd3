#!/bin/sh
# Chromium without the hidden page that it loads for the address bar of each new page: half of the
# processor time of opening one. Chromium heeds the last list of features alone, so these names are
# added to the list that Playwright gives.
n_left=$#
while [ "$n_left" -gt 0 ]; do
    argument=$1
    shift
    case $argument in
    --disable-features=*) argument="$argument,WebUIOmniboxPopup,WebUIOmniboxAimPopup" ;;
    esac
    set -- "$@" "$argument"
    n_left=$((n_left - 1))
done
exec chromium "$@"
