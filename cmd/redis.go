package cmd

import (
	"errors"
	"fmt"
	"os"

	"muster/match/cluster"
)

// Passwords of Redis are not flags, which every user of the machine can read; these variables have them, or files do.
const (
	redisPassword    = "MUSTER_REDIS_PASSWORD"          //nolint:gosec // a name
	sentinelPassword = "MUSTER_REDIS_SENTINEL_PASSWORD" //nolint:gosec // a name
)

// redisAccess is how to come to the Redis that --redis names, beyond what its URL says.
type redisAccess struct {
	User         string `name:"redis-user" help:"Whom Redis knows this server as (ACL). The password is that of --redis-password-file, or of the variable MUSTER_REDIS_PASSWORD." placeholder:"NAME" env:"MUSTER_REDIS_USER" yaml:"redis_user"`
	PasswordFile string `name:"redis-password-file" help:"File with the password for Redis, read again at each new connection." placeholder:"FILE" env:"MUSTER_REDIS_PASSWORD_FILE" yaml:"redis_password_file"`
	SentinelUser string `name:"redis-sentinel-user" help:"The same for the Sentinels; the password is in --redis-sentinel-password-file, or in MUSTER_REDIS_SENTINEL_PASSWORD." placeholder:"NAME" env:"MUSTER_REDIS_SENTINEL_USER" yaml:"redis_sentinel_user"`
	SentinelFile string `name:"redis-sentinel-password-file" help:"File with the password for the Sentinels." placeholder:"FILE" env:"MUSTER_REDIS_SENTINEL_PASSWORD_FILE" yaml:"redis_sentinel_password_file"`
	CA           string `name:"redis-ca" help:"PEM file of those who sign Redis's certificate, for rediss. Default: the system's." placeholder:"FILE" env:"MUSTER_REDIS_CA" yaml:"redis_ca"`
	Cert         string `name:"redis-cert" help:"PEM file of the certificate that Redis wants of its clients, read again at each new connection." placeholder:"FILE" env:"MUSTER_REDIS_CERT" yaml:"redis_cert"`
	Key          string `name:"redis-key" help:"PEM file of the key of --redis-cert." placeholder:"FILE" env:"MUSTER_REDIS_KEY" yaml:"redis_key"`
	ServerName   string `name:"redis-server-name" help:"Name in the certificates of all servers of Redis, where it is not the host's." placeholder:"NAME" env:"MUSTER_REDIS_SERVER_NAME" yaml:"redis_server_name"`
}

// of is the access to the Redis at a URL.
func (a *redisAccess) of(url string) cluster.Access {
	return cluster.Access{
		URL: url, User: a.User, Password: os.Getenv(redisPassword), PasswordFile: a.PasswordFile,
		SentinelUser: a.SentinelUser, SentinelPassword: os.Getenv(sentinelPassword), SentinelPasswordFile: a.SentinelFile,
		CAFile: a.CA, CertFile: a.Cert, KeyFile: a.Key, ServerName: a.ServerName,
	}
}

// check refuses a way to Redis that cannot be gone, and one where there is no Redis. It reads no file.
func (a *redisAccess) check(url string) error {
	if url == "" {
		if *a != (redisAccess{}) {
			return errors.New("--redis is not given, and how to come to it is: the embedded Redis wants no user and no certificate")
		}
		return nil
	}
	if err := a.of(url).Check(); err != nil {
		return fmt.Errorf("--redis: %w", err)
	}
	return nil
}
