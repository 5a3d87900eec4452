// What else the application has, apart from PEOPLE, when WAYS=true: tenants with login methods of their own, providers,
// codes by mail and by text message, the dashboard; this SDK has no second factors. tests/sdk/driver/app.py names the
// routes.
package main

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/supertokens/supertokens-golang/ingredients/emaildelivery"
	"github.com/supertokens/supertokens-golang/ingredients/smsdelivery"
	"github.com/supertokens/supertokens-golang/recipe/dashboard"
	"github.com/supertokens/supertokens-golang/recipe/emailpassword"
	"github.com/supertokens/supertokens-golang/recipe/multitenancy"
	"github.com/supertokens/supertokens-golang/recipe/multitenancy/multitenancyclaims"
	"github.com/supertokens/supertokens-golang/recipe/multitenancy/multitenancymodels"
	"github.com/supertokens/supertokens-golang/recipe/passwordless"
	"github.com/supertokens/supertokens-golang/recipe/passwordless/plessmodels"
	"github.com/supertokens/supertokens-golang/recipe/session"
	"github.com/supertokens/supertokens-golang/recipe/session/claims"
	"github.com/supertokens/supertokens-golang/recipe/session/sessmodels"
	"github.com/supertokens/supertokens-golang/recipe/thirdparty"
	"github.com/supertokens/supertokens-golang/supertokens"
)

var (
	sites       = os.Getenv("SITES")
	sitePattern = regexp.MustCompile(`^([a-z0-9-]+)\.shop\.example(:\d+)?$`)
)

// siteOf is the tenant that a host name belongs to, or nothing.
func siteOf(host string) string {
	if found := sitePattern.FindStringSubmatch(host); found != nil {
		return found[1]
	}
	return ""
}

var messages struct {
	sync.Mutex
	sent []object
}

// keep sends nothing: messages that would be sent are kept and can be requested. The SDK passes on an address as it was
// typed.
func keep(to string, code *string, link *string) {
	messages.Lock()
	defer messages.Unlock()
	messages.sent = append(messages.sent, object{"to": strings.ToLower(to), "code": code, "link": link})
}

func wayRecipes() []supertokens.Recipe {
	sendMail := func(input emaildelivery.EmailType, _ supertokens.UserContext) error {
		keep(input.PasswordlessLogin.Email, input.PasswordlessLogin.UserInputCode, input.PasswordlessLogin.UrlWithLinkCode)
		return nil
	}
	sendSms := func(input smsdelivery.SmsType, _ supertokens.UserContext) error {
		sent := input.PasswordlessLogin
		keep(sent.PhoneNumber, sent.UserInputCode, sent.UrlWithLinkCode)
		return nil
	}
	return []supertokens.Recipe{
		multitenancy.Init(&multitenancymodels.TypeInput{
			GetAllowedDomainsForTenantId: func(tenantID string, _ supertokens.UserContext) ([]string, error) {
				return []string{tenantID + ".shop.example"}, nil
			},
		}),
		thirdparty.Init(nil),
		passwordless.Init(plessmodels.TypeInput{
			ContactMethodEmailOrPhone: plessmodels.ContactMethodEmailOrPhoneConfig{Enabled: true},
			FlowType:                  "USER_INPUT_CODE_AND_MAGIC_LINK",
			EmailDelivery: &emaildelivery.TypeInput{
				Service: &emaildelivery.EmailDeliveryInterface{SendEmail: &sendMail},
			},
			SmsDelivery: &smsdelivery.TypeInput{Service: &smsdelivery.SmsDeliveryInterface{SendSms: &sendSms}},
		}),
		dashboard.Init(nil),
	}
}

// tenantOfAddress: with SITES=own the host name determines the tenant, not the page. The SDK calls GetTenantId only for
// requests with a "rid" header, which today's pages do not send; so the tenant is put into the path.
func tenantOfAddress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rest, own := strings.CutPrefix(r.URL.Path, "/auth/"); own && sites == "own" && siteOf(r.Host) != "" {
			r.URL.Path = "/auth/" + siteOf(r.Host) + "/" + rest
		}
		next.ServeHTTP(w, r)
	})
}

// wayRoutes are what a user does, and what the application's own code does.
func wayRoutes(routes *http.ServeMux) {
	routes.HandleFunc("GET /site", func(w http.ResponseWriter, r *http.Request) {
		options := &sessmodels.VerifySessionOptions{}
		if sites == "own" {
			host := siteOf(r.Host) + ".shop.example"
			options.OverrideGlobalClaimValidators = func(
				all []claims.SessionClaimValidator, _ sessmodels.SessionContainer, _ supertokens.UserContext,
			) ([]claims.SessionClaimValidator, error) {
				return append(all, multitenancyclaims.AllowedDomainsClaimValidators.Includes(host, nil, nil)), nil
			}
		}
		session.VerifySession(options, showSite)(w, r)
	})
	routes.HandleFunc("POST /admin/messages", plain(func(in fields) (object, error) {
		messages.Lock()
		defer messages.Unlock()
		found := []object{}
		for _, message := range messages.sent {
			if message["to"] == in.To {
				found = append(found, message)
			}
		}
		return object{"messages": found}, nil
	}))
	routes.HandleFunc("POST /admin/tenant/methods", plain(setMethods))
	routes.HandleFunc("POST /admin/tenant/provider", plain(func(in fields) (object, error) {
		_, err := multitenancy.CreateOrUpdateThirdPartyConfig(*in.TenantID, in.Config, nil)
		return object{"status": "OK"}, err
	}))
	routes.HandleFunc("POST /admin/tenant/user", plain(addToTenant))
	routes.HandleFunc("POST /admin/tenant/user/remove", plain(func(in fields) (object, error) {
		_, err := multitenancy.DisassociateUserFromTenant(*in.TenantID, in.UserID)
		return object{"status": "OK"}, err
	}))
}

func addToTenant(in fields) (out object, err error) {
	defer func() { // the SDK panics when the core refuses
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic in the SDK: %v", reason)
		}
	}()
	_, err = multitenancy.AssociateUserToTenant(*in.TenantID, in.UserID)
	return object{"status": "OK"}, err
}

func showSite(w http.ResponseWriter, r *http.Request) {
	site, userID := siteOf(r.Host), session.GetSessionFromRequestContext(r.Context()).GetUserID()
	if sites != "own" {
		user, err := emailpassword.GetUserByID(userID)
		if err != nil {
			fail(w, r, err)
			return
		}
		if user == nil || !slices.Contains(user.TenantIds, site) {
			w.WriteHeader(http.StatusForbidden)
		}
	}
	answer(w, object{"site": site, "userId": userID})
}

// setMethods: at this SDK's version of the protocol a tenant's login methods are three switches.
func setMethods(in fields) (object, error) {
	has := func(names ...string) *bool {
		found := slices.ContainsFunc(names, func(name string) bool { return slices.Contains(in.FirstFactors, name) })
		return &found
	}
	_, err := multitenancy.CreateOrUpdateTenant(*in.TenantID, multitenancymodels.TenantConfig{
		EmailPasswordEnabled: has("emailpassword"),
		ThirdPartyEnabled:    has("thirdparty"),
		PasswordlessEnabled:  has("otp-email", "otp-phone", "link-email", "link-phone"),
	})
	return object{"status": "OK"}, err
}

// personByID finds a user by id, whatever they sign in with.
func personByID(id string) (object, error) {
	if user, err := emailpassword.GetUserByID(id); err != nil || user != nil {
		if err != nil {
			return nil, err
		}
		return person(user.ID, user.TimeJoined, user.TenantIds, []string{user.Email}, []string{}), nil
	}
	if os.Getenv("WAYS") != "true" {
		return object{"found": false}, nil
	}
	if user, err := thirdparty.GetUserByID(id); err != nil || user != nil {
		if err != nil {
			return nil, err
		}
		return person(user.ID, user.TimeJoined, user.TenantIds, []string{user.Email}, []string{}), nil
	}
	user, err := passwordless.GetUserByID(id)
	if err != nil || user == nil {
		return object{"found": false}, err
	}
	return person(user.ID, user.TimeJoined, user.TenantIds, given(user.Email), given(user.PhoneNumber)), nil
}

func person(id string, timeJoined uint64, tenantIDs, emails, phoneNumbers []string) object {
	return object{
		"found": true, "id": id, "timeJoined": timeJoined, "tenantIds": tenantIDs, "emails": emails,
		"phoneNumbers": phoneNumbers,
	}
}

func given(value *string) []string {
	if value == nil {
		return []string{}
	}
	return []string{*value}
}
