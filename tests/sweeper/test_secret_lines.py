"""Lines of a setup that hold a secret, and lines that only look like them: a table of each, by kind."""

from dataclasses import replace
from functools import cache

import pytest

from sweeper.host.errors import ConfigError
from sweeper.plan.secret_refusals import SecretSearch, refuse_secrets
from sweeper.spec.cluster import Cluster
from tests.sweeper.points import spec


def lines(text: str) -> tuple[str, ...]:
    """One a line; ⏎ is the end of one within it."""
    found = text.replace("COMMIT", "0a1b" * 10).replace("DIGEST", "ab12" * 16).strip().split("\n")
    return tuple(line.replace("⏎", "\n") for line in found)


LEAKING = lines(r"""
declare -x HF_TOKEN=hunter
typeset -x HF_TOKEN=hunter
env HF_TOKEN=hunter python x.py
[ -n ${HF_TOKEN:+hunter} ]
python x.py ${HF_TOKEN+hunter}
: ${HF_TOKEN:=hunter}
set -x HF_TOKEN hunter
set -gx HF_TOKEN hunter
HF_TOKEN="$(echo -n hunter)"
read -r HF_TOKEN < <(echo hunter)
read HF_TOKEN <<EOF⏎hunter⏎EOF
IFS= read -r HF_TOKEN <<'E'⏎hunter⏎E
PASS=hunter2 ./x
export KEY=a8f0Kq2LmZ93xTbV41
AUTH=hunter2 ./x
python -c "os.putenv('HF_TOKEN', 'hunter')"
python -c "os.environ.setdefault('HF_TOKEN','hunter')"
python -c "import wandb; wandb.login(key='hunter')"
python -c "from huggingface_hub import login; login('hunter')"
echo '{"hf_token": "hunter"}' > conf.json
echo 'hf_token: hunter' > conf.yaml
mysql -u root -phunter db
mysqldump -phunter db > x
mysql -u root --password=hunter
mariadb-dump -phunter d
tool --password hunter
influx -password hunter
wget --user me --password hunter https://h
mongosh -p hunter
curl -u me:hunter https://h
curl -s -U me:hunter -x p https://h
curl --proxy-user me:hunter https://h
curl -H 'X-Auth-Token: hunter' https://h
curl -H "Cookie: hunter" https://h
wget --header='Private-Token: hunter' h
redis-cli -h h -a hunter ping
ldapsearch -x -D cn=me -w hunter
smbclient //h/x -U me%hunter
openssl enc -aes256 -pass pass:hunter -in x
openssl rsa -passin pass:hunter
gpg --passphrase hunter -d x
zip -r -P hunter x.zip x
7z x -phunter x.7z
unzip -P hunter x.zip
npm config set //registry.npmjs.org/:_authToken hunter
git config --global github.token hunter
vault login hunter
wandb login --key hunter
gh auth login --with-token <<< hunter
echo hunter | gh auth login --with-token
echo hunter | kinit me
echo hunter | sudo -S true
tee ~/.cache/huggingface/token <<< hunter
printf hunter > ~/.hf_token
echo hunter | tee ~/.cache/huggingface/token
echo https://me:hunter@github.com > ~/.git-credentials
pip install --extra-index-url https://me:hunter@h/simple x
git clone https://oauth2:hunter@gitlab.com/x/y
psql postgres://me:hunter@db/x
psql 'host=h password=hunter'
kubectl create secret generic s --from-literal=token=hunter
docker run -e HF_TOKEN=hunter image
psql -c "ALTER USER me PASSWORD 'hunter'"
htpasswd -b f me hunter
rclone config create r s3 secret_access_key hunter
sudo -S true <<< hunter
lftp -u me,hunter h
sftp h <<< "password: hunter"
nmcli dev wifi connect x password hunter
python x.py +api.token=hunter
wget --post-data 'user=me&password=hunter' h
sed -i 's/TOKEN=.*/TOKEN=hunter/' .env
export 'HF_TOKEN'=hunter
export MISTRALKEY=hunter
setx HF_TOKEN hunter
export HF_TOKEN=$(base64 -d <<< hunter)
python -c "api_key = 'hunter'"
perl -e '$ENV{HF_TOKEN}="hunter"'
yq -i '.token = "hunter"' x
dvc remote modify --local r password hunter
crudini --set f s token hunter
vault kv put secret/x value=hunter
gh secret set X --body hunter
gh secret set X -b hunter
mc alias set x https://h me hunter
ngrok config add-authtoken hunter
comet login hunter
mosquitto_pub -u me -P hunter -t x
sqlcmd -U me -P hunter
ipmitool -P hunter
unrar x -phunter y
rar a -hphunter x
snmpwalk -A hunter -X hunter
ssh-keygen -t rsa -N "hunter" -f k
keytool -storepass hunter
useradd -p hunter me
openssl enc -k hunter
http -a me:hunter x
curl -b 'session=hunter' x
login me password hunter
cat <<< hunter > ~/.hf_token
cat <<E > ~/.cache/huggingface/token⏎hunter⏎E
echo "hunter" | su me
""")
HARMLESS = lines(r"""
PASS=pass@8 python x.py
export PASS=pass1
export KEY=prompt
KEY=reward_fn_key python x.py
export TOKENS=5000000
export MAX_TOKENS=8192000
python x.py --max-new-tokens 5120000
TOKENS=1e9 ./x
python x.py key=COMMIT
tool --key COMMIT
export CACHE_KEY=COMMIT
git checkout COMMIT
echo 'key: COMMIT' > conf.yaml
export KEY=COMMIT
restore --key=DIGEST
KEYBOARD=us ./x
export AUTHOR=me
export PASSES=3
export TOKENIZER=x
git config --global user.name me
python -c "d = {'key': 'prompt', 'tokens': 'all'}"
echo 'key: value' > conf.yaml
export KEYS=a,b
export X=$(cat ~/x)
export HF_TOKEN=$(cat ~/.hf)
export HF_TOKEN=$(< ~/.hf)
export HF_TOKEN=`pass hf`
[ -n "${HF_TOKEN:+set}" ] || exit 1
python x.py ${HF_TOKEN:+--token $HF_TOKEN}
: ${HF_TOKEN:?set it first}
read -r HF_TOKEN < <(cat ~/.hf)
read -r line < list
wandb.login()
mysql -p -u root
mysql -P 3306 -u root
psql -p 5432
ssh -p 22 host
docker run -p 80:80 image
mkdir -p x/y
cp -p a b
tar -xpf x.tar
unzip -p x.zip
zip -r x.zip x
set -euo pipefail
set -x
curl -u "$USER:$PASSWORD" https://h
curl -u me https://h
curl --netrc https://h
curl -U $P https://h
curl -H 'Accept: text/plain' https://h
curl -H "X-Auth-Token: $TOKEN" https://h
wget -O x https://h:8080/y
mysql -u root -p"$PASSWORD" db
redis-cli -a "$PASSWORD"
wget --password=$PASSWORD https://h
openssl enc -pass file:$HOME/x
openssl enc -passin env:PASSWORD
gpg --passphrase-file ~/x -d y
sshpass -f ~/x ssh host
7z x -p"$P" x.7z
kubectl create secret generic s --from-file=token=x
vault login -method=oidc
wandb login --verify
docker login --password-stdin < ~/x
gh auth login
echo done | tee log.txt
echo start > token_counts.txt
python -c 'model.login'
login_shell=true
python x.py data.prompt_key=question data.answer_key=answer
git config --global credential.helper store
docker run -u 1000:1000 image
awk -F: '{print $1":"$2}' x
export PASSWORD_STORE_DIR=~/x
echo "commit key COMMIT" > x
export HF_TOKEN_PATH=/home/me/.hf
wget -q -U Mozilla https://h
srun --export=ALL,KEY=value x
PASS=mean@8 x
PASS="pass@{1,8}" x
export PASS=pass@1,pass@8
export PASS=val_pass1
BASE_PASS=pass@8 x
export METRIC_KEY=pass@8
export BEST_KEY=val-core/gsm8k/acc
export TOKEN=eos
export EOS_TOKEN=</s>
export TOKEN_IDS=1,2
export AUTH=gssapi
export PAT='*.txt'
export WEBHOOK_PORT=8080
python x.py --auth none
if [ "$TOKEN" = "x" ]; then exit; fi
if [ $TOKEN = 'x' ]; then exit; fi
ssh-keygen -N "" -f k
unrar x -p- y
vault write auth/x @login.json
vault kv put secret/x value=@file
cat <<E > ~/.cache/huggingface/token⏎$HF_TOKEN⏎E
gh secret set X < file
curl -b jar.txt x
openssl enc -aes256 -kfile x
su - me -c true
""")


@cache
def cluster() -> Cluster:
    return spec("cluster=slurm").cluster


def refuse(line: str) -> None:
    """As a launch does it: what a configuration holds, then the lines of its scripts."""
    SecretSearch().refuse({"cluster": {"setup": [line]}})
    refuse_secrets(replace(cluster(), setup=(line,)))


def test_the_tables_are_of_a_hundred_lines_and_more() -> None:
    assert min(len(set(LEAKING)), len(set(HARMLESS))) >= 100


@pytest.mark.parametrize("line", LEAKING)
def test_a_line_that_holds_a_secret_is_refused_without_telling_it(line: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        refuse(line)
    assert "hunter" not in str(refusal.value)


@pytest.mark.parametrize("line", HARMLESS)
def test_a_line_that_holds_none_is_accepted(line: str) -> None:
    refuse(line)
