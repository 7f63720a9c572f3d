case $USWEEP_X in
  good*) echo "{\"value\": 1.50, \"text\": 3}" > results.json; echo "$USWEEP_X on stdout";;
  exit*) echo trouble >&2; exit 3;;
  crash*) kill -SEGV $$;;
  broken*) echo "no results";;
  late*) sleep 3000;;
  hold*) while [ ! -e /tmp/golden/go-$USWEEP_X ]; do sleep 0.2; done; echo "{\"value\": 2}" > results.json;;
esac
